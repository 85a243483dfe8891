/** Reads the replication log from one place on, in order. One reader at a time. */
import type { SyncError } from '../errors.ts';
import type { LogItem } from './item.ts';
import type { LogEntry, ReplicationLog } from './replication-log.ts';
import type { SegmentFile } from './segment-file.ts';

/** Whoever applies the log reads it through this. */
export interface LogReader {
  /** The next item when it is in memory; undefined otherwise (then await `next`). */
  tryNext(): LogItem | undefined;
  /** The next item; waits for it. @throws the log's failure, or the signal's reason. */
  next(signal?: AbortSignal): Promise<LogItem>;
}

export class LogCursor implements LogReader {
  readonly #log: ReplicationLog;
  readonly #onClose: () => void;
  readonly #onDropped: ((error: SyncError) => void) | undefined;
  #sequence: number;
  /** Bytes of the entry at `#sequence` that were handed out already: an open entry grows behind them. */
  #offset: number;
  #wake: (() => void) | undefined;
  /** Why this reader, and not the whole log, can go no further. */
  #dropped: SyncError | undefined;

  constructor(
    log: ReplicationLog,
    sequence: number,
    offset: number,
    on: { close: () => void; dropped: ((error: SyncError) => void) | undefined },
  ) {
    this.#log = log;
    this.#sequence = sequence;
    this.#offset = offset;
    this.#onClose = on.close;
    this.#onDropped = on.dropped;
  }

  /** Sequence number of the entry that is read next; everything before it is not needed any more. */
  get sequence(): number {
    return this.#sequence;
  }

  /** The next item when it is in memory; undefined otherwise (then await `next`). */
  tryNext(): LogItem | undefined {
    if (this.#dropped) return undefined;
    const entry = this.#log.entryAt(this.#sequence);
    if (entry?.item === undefined) return undefined;
    if (entry.item.kind !== 'bytes') {
      const { item } = entry;
      this.#moveOn();
      return item;
    }
    const { chunk } = entry.item;
    if (this.#offset === chunk.length) return undefined;
    const from = this.#offset;
    this.#offset = chunk.length;
    if (entry.room === undefined) this.#moveOn();
    return { kind: 'bytes', chunk: from === 0 ? chunk : chunk.subarray(from), atMs: entry.atMs };
  }

  /**
   * The next item; waits for it. Bytes come in other pieces than they were appended in.
   *
   * @throws the log's failure, or the signal's reason.
   */
  async next(signal?: AbortSignal): Promise<LogItem> {
    for (;;) {
      const item = await this.step(signal);
      if (item !== undefined) return item;
    }
  }

  /** As `next`, but undefined when it was woken: there may be something by now. */
  async step(signal?: AbortSignal): Promise<LogItem | undefined> {
    signal?.throwIfAborted();
    if (this.#dropped) throw this.#dropped;
    const item = this.tryNext();
    if (item !== undefined) return item;
    const entry = this.#log.entryAt(this.#sequence);
    if (entry?.item === undefined && entry?.segment !== undefined)
      return this.#readFromDisk(entry, entry.segment);
    // No await between looking and sleeping: an append in between would wake nobody.
    if (this.#log.failure) throw this.#log.failure;
    await this.#sleep(signal);
    return undefined;
  }

  /** For the log: something was appended, or it failed. */
  wake(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  /** For the log: it keeps nothing for this reader any more. */
  drop(error: SyncError): void {
    this.#dropped = error;
    this.close();
    this.wake();
    this.#onDropped?.(error);
  }

  /** For the log: this entry is complete with so many bytes; whoever has read them all is done with it. */
  leave(sequence: number, bytes: number): void {
    if (sequence !== this.#sequence || this.#offset < bytes) return;
    this.#sequence++;
    this.#offset = 0;
  }

  close(): void {
    this.#onClose();
  }

  async #readFromDisk(entry: LogEntry, segment: SegmentFile): Promise<LogItem> {
    const from = this.#offset;
    try {
      const chunk = await segment.read(entry.position + from, entry.bytes - from);
      const { atMs } = entry;
      this.#moveOn();
      return { kind: 'bytes', chunk, atMs };
    } catch (error) {
      throw this.#log.wordReadError(error);
    }
  }

  #moveOn(): void {
    const passed = this.#sequence++;
    this.#offset = 0;
    this.#log.passed(passed);
  }

  async #sleep(signal: AbortSignal | undefined): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      this.#wake = wake;
      signal?.addEventListener('abort', wake, { once: true });
    });
  }
}
