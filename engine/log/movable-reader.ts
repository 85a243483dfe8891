/**
 * Reads one replication log, and goes over to another one of the same stream at an exact offset, without a byte missing or
 * read twice.
 *
 *   old log   … ─────────────┐ at `offset`
 *   new log                  └───────────── …     its cursor was opened there
 *
 * Only plain stream can be moved across: whatever else comes before the offset (a new connection, a snapshot) calls it off.
 */
import type { LogItem } from './item.ts';
import type { LogCursor, LogReader } from './log-cursor.ts';

interface Move {
  offset: bigint;
  to: LogCursor;
  onDone: () => void;
}

export class MovableReader implements LogReader {
  #cursor: LogCursor;
  /** Of the last stream byte handed out; undefined outside of the stream. */
  #offset: bigint | undefined;
  #move: Move | undefined;

  constructor(cursor: LogCursor) {
    this.#cursor = cursor;
  }

  /** Stream offset of the last byte handed out; undefined while a snapshot is read. */
  get offset(): bigint | undefined {
    return this.#offset;
  }

  get moving(): boolean {
    return this.#move !== undefined;
  }

  /** Goes on in `to`, which was opened at this stream offset, as soon as that is reached. Not below what was read. */
  moveTo(to: LogCursor, offset: bigint, onDone: () => void): void {
    this.cancelMove();
    this.#move = { offset, to, onDone };
    this.#cursor.wake();
  }

  cancelMove(): void {
    this.#move?.to.close();
    this.#move = undefined;
  }

  tryNext(): LogItem | undefined {
    if (this.#move !== undefined && this.#offset === this.#move.offset) this.#complete(this.#move);
    const item = this.#cursor.tryNext();
    return item && this.#pass(item);
  }

  async next(signal?: AbortSignal): Promise<LogItem> {
    for (;;) {
      const ready = this.tryNext();
      if (ready !== undefined) return ready;
      const item = await this.#cursor.step(signal);
      const passed = item && this.#pass(item);
      if (passed !== undefined) return passed;
    }
  }

  close(): void {
    this.cancelMove();
    this.#cursor.close();
  }

  /** Undefined when nothing of it is to be read here. */
  #pass(item: LogItem): LogItem | undefined {
    if (item.kind !== 'bytes') {
      this.#offset = item.kind === 'stream-start' ? item.offset : undefined;
      this.cancelMove();
      return item;
    }
    if (this.#offset === undefined) return item;
    const from = this.#offset;
    const end = from + BigInt(item.chunk.length);
    const move = this.#move;
    if (move === undefined || end < move.offset) {
      this.#offset = end;
      return item;
    }
    this.#offset = move.offset;
    this.#complete(move);
    if (move.offset === from) return undefined;
    return { ...item, chunk: item.chunk.subarray(0, Number(move.offset - from)) };
  }

  #complete(move: Move): void {
    this.#move = undefined;
    this.#cursor.close();
    this.#cursor = move.to;
    move.onDone();
  }
}
