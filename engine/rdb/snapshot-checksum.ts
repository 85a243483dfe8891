/** The checksum behind a snapshot: computed over everything up to the end mark, compared with the 8 bytes that follow. */
import { Crc64 } from './crc64.ts';

const BYTES = 8;

export class SnapshotChecksum {
  readonly #crc = new Crc64();
  readonly #stored = new Uint8Array(BYTES);
  #collected = 0;

  /** Covers `chunk[start, end)`. */
  cover(chunk: Uint8Array, start: number, end: number): void {
    this.#crc.update(chunk, start, end);
  }

  /** Takes what of the stored checksum stands at `chunk[at]`; returns the offset behind it. */
  collect(chunk: Uint8Array, at: number): number {
    let next = at;
    while (next < chunk.length && this.#collected < BYTES) this.#stored[this.#collected++] = chunk[next++]!;
    return next;
  }

  /** `incomplete` until 8 bytes were collected; `absent` when they are all zero (rdbchecksum no). */
  get verdict(): 'incomplete' | 'valid' | 'absent' | 'wrong' {
    if (this.#collected < BYTES) return 'incomplete';
    if (this.#stored.every((byte) => byte === 0)) return 'absent';
    const computed = new Uint8Array(BYTES);
    this.#crc.digestInto(computed, 0);
    return this.#stored.every((byte, index) => byte === computed[index]) ? 'valid' : 'wrong';
  }
}
