/** What every lane does on its way through the replication log, whatever its target is. */
import { SyncError } from '../errors.ts';
import type { LogItem } from '../log/item.ts';
import type { LogReader } from '../log/log-cursor.ts';
import type { Checkpoint } from './checkpoint.ts';

/** Applying that stands still while reading goes on into the log. */
export class Pause {
  #over: Promise<void> | undefined;
  #resume: (() => void) | undefined;

  get on(): boolean {
    return this.#over !== undefined;
  }

  begin(): void {
    this.#over ??= new Promise((resolve) => (this.#resume = resolve));
  }

  end(): void {
    this.#resume?.();
    this.#over = undefined;
  }

  /** Resolves when it is over. @throws the signal's reason. */
  async wait(signal: AbortSignal): Promise<void> {
    let stopWaiting: (() => void) | undefined;
    const aborted = new Promise<void>((resolve) => (stopWaiting = resolve));
    const onAbort = (): void => stopWaiting?.();
    signal.addEventListener('abort', onAbort, { once: true });
    await Promise.race([this.#over, aborted]);
    signal.removeEventListener('abort', onAbort);
    signal.throwIfAborted();
  }
}

/** Bytes of a stream that the target has already, because another lane of the same source still needs them. */
export class SkippedBytes {
  #left = 0;

  /**
   * The stream begins at `offset`, and the link goes on from its checkpoint.
   *
   * @returns the checkpoint. @throws SyncError INTERNAL when there is none, or the stream begins behind it.
   */
  upTo(checkpoint: Checkpoint | undefined, offset: bigint, link: string): Checkpoint {
    if (checkpoint === undefined || checkpoint.offset < offset) {
      throw new SyncError(
        'INTERNAL',
        `Link ${link} is at ${checkpoint?.offset ?? 'no'} offset, but the stream begins at ${offset}.`,
      );
    }
    this.#left = Number(checkpoint.offset - offset);
    return checkpoint;
  }

  /** The chunk without what the target has already. */
  cut(chunk: Buffer): Buffer {
    if (this.#left === 0) return chunk;
    const skipped = Math.min(this.#left, chunk.length);
    this.#left -= skipped;
    return chunk.subarray(skipped);
  }
}

/** Takes one item after the other until the log says `closed`. @throws what `take` throws; the signal's reason. */
export async function takeUntilClosed(
  cursor: LogReader,
  pause: Pause,
  take: (item: Exclude<LogItem, { kind: 'closed' }>) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const item = cursor.tryNext() ?? (await cursor.next(signal));
    // Looked at here: it may have been paused while there was nothing to apply.
    if (pause.on) await pause.wait(signal);
    if (item.kind === 'closed') return;
    await take(item);
  }
}
