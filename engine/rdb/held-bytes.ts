/**
 * Bytes of a record that did not arrive whole. Grows by doubling as bytes really come, never by what a length claims,
 * and lets go of a big buffer as soon as it is cleared.
 */
import { constants } from 'node:buffer';
import { SyncError } from '../errors.ts';

const SMALL_BYTES = 64 * 1024;

export class HeldBytes {
  #buffer = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The buffer; only its first `length` bytes are ours. Replaced by `append`. */
  get bytes(): Buffer {
    return this.#buffer;
  }

  /**
   * Copies `source[start, end)` behind what is there.
   * @throws SyncError SNAPSHOT_CORRUPT when no Buffer can hold that much.
   */
  append(source: Buffer, start: number, end: number): void {
    const length = this.#length + (end - start);
    if (length > this.#buffer.length) {
      if (length > constants.MAX_LENGTH)
        throw new SyncError('SNAPSHOT_CORRUPT', `a record of ${length} bytes is too large`);
      const grown = Buffer.allocUnsafeSlow(
        Math.min(Math.max(length, this.#buffer.length * 2, SMALL_BYTES), constants.MAX_LENGTH),
      );
      this.#buffer.copy(grown, 0, 0, this.#length);
      this.#buffer = grown;
    }
    source.copy(this.#buffer, this.#length, start, end);
    this.#length = length;
  }

  /** Drops the first `count` bytes. */
  drop(count: number): void {
    this.#buffer.copyWithin(0, count, this.#length);
    this.#length -= count;
  }

  clear(): void {
    this.#length = 0;
    if (this.#buffer.length > SMALL_BYTES * 16) this.#buffer = Buffer.alloc(0);
  }
}
