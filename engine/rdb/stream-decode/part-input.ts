/**
 * The bytes of one value that arrive in parts, read from the front. A read either has all it needs or returns `undefined`
 * and leaves the position where it was marked; `needed` then says how many bytes it is worth waiting for.
 *
 *   held   [ consumed │ not read yet … ]        `push` drops the left side and appends on the right
 *                     ^at             ^end
 *
 * Views that were handed out are valid until the next `push`.
 */
import { corrupt } from '../corrupt.ts';
import { HeldBytes } from '../held-bytes.ts';
import {
  INCOMPLETE,
  lengthEnd,
  MALFORMED,
  readLength,
  readLength64,
  readString,
  stringEnd,
} from '../length.ts';

export class PartInput {
  readonly #held = new HeldBytes();
  readonly #what: string;
  #at = 0;
  #mark = 0;
  /** Absolute position in the held bytes that must be there before reading makes sense. */
  #neededTo = 0;
  #dropped = 0;

  /** @param what what is being read, for messages. */
  constructor(what: string) {
    this.#what = what;
  }

  push(part: Buffer): void {
    this.#held.drop(this.#at);
    this.#dropped += this.#at;
    this.#neededTo = Math.max(0, this.#neededTo - this.#at);
    this.#mark = 0;
    this.#at = 0;
    this.#held.append(part, 0, part.length);
  }

  /** Bytes that are there and not read. */
  get available(): number {
    return this.#held.length - this.#at;
  }

  /** What the last failed read wanted has arrived. */
  get ready(): boolean {
    return this.#held.length >= this.#neededTo;
  }

  /** A read of several pieces begins: if one is missing, all are read again. */
  mark(): void {
    this.#mark = this.#at;
  }

  /** Waits for `count` bytes from here on. */
  await(count: number): undefined {
    this.#neededTo = this.#at + count;
    this.#at = this.#mark;
    return undefined;
  }

  tryBytes(count: number): Buffer | undefined {
    if (this.available < count) return this.await(count);
    this.#at += count;
    return this.#held.bytes.subarray(this.#at - count, this.#at);
  }

  /** Whatever is there, at most `most` bytes. */
  some(most: number): Buffer {
    const count = Math.min(most, this.available);
    this.#at += count;
    return this.#held.bytes.subarray(this.#at - count, this.#at);
  }

  /** Gives the last `count` bytes that were read back, before the next `push`. */
  unread(count: number): void {
    this.#at -= count;
  }

  tryByte(): number | undefined {
    return this.tryBytes(1)?.[0];
  }

  tryDouble(): number | undefined {
    const start = this.#at;
    return this.tryBytes(8) === undefined ? undefined : this.#held.bytes.readDoubleLE(start);
  }

  /** A little-endian 64-bit time in ms. */
  tryTimeMs(): number | undefined {
    const bytes = this.tryBytes(8);
    return bytes === undefined ? undefined : Number(bytes.readBigInt64LE());
  }

  tryLength(): number | undefined {
    const start = this.#passLength();
    return start === undefined ? undefined : readLength(this.#held.bytes, start);
  }

  /** As `tryLength`, exact. */
  tryLength64(): bigint | undefined {
    const start = this.#passLength();
    return start === undefined ? undefined : readLength64(this.#held.bytes, start);
  }

  /** A string of the snapshot format, whole. */
  tryString(): Buffer | undefined {
    const start = this.#at;
    const stop = stringEnd(this.#held.bytes, start, this.#held.length);
    if (stop === MALFORMED) this.fail('a string has an unknown encoding');
    if (stop === INCOMPLETE) return this.await(this.available + 1);
    if (stop > this.#held.length) return this.await(stop - start);
    this.#at = stop;
    return readString(this.#held.bytes, start, stop) ?? this.fail('a string does not decompress');
  }

  fail(message: string): never {
    throw corrupt(`${this.#what} is malformed: ${message}`, `value byte ${this.#dropped + this.#at}`);
  }

  #passLength(): number | undefined {
    const start = this.#at;
    const next = lengthEnd(this.#held.bytes, start, this.#held.length);
    if (next === MALFORMED) this.fail('a length is unknown');
    if (next === INCOMPLETE) return this.await(this.available + 1);
    this.#at = next;
    return start;
  }
}
