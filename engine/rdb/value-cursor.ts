/**
 * A read position in the bytes of one value. Every read is bounds-checked; whatever cannot be is a SNAPSHOT_CORRUPT
 * error that names the byte. Buffers handed out are views wherever the bytes stand there as they are.
 */
import { corrupt } from './corrupt.ts';
import { lengthEnd, readLength, readLength64, readString, stringEnd } from './length.ts';

export class ValueCursor {
  readonly bytes: Buffer;
  at = 0;
  /** What is being read, for messages: `a listpack`. */
  readonly #what: string;

  constructor(bytes: Buffer, what = 'a value') {
    this.bytes = bytes;
    this.#what = what;
  }

  get end(): number {
    return this.bytes.length;
  }

  /** The next `count` bytes as a view. */
  take(count: number): Buffer {
    const start = this.at;
    if (count > this.end - start) this.fail(`${count} bytes are announced and ${this.end - start} are there`);
    this.at = start + count;
    return this.bytes.subarray(start, this.at);
  }

  byte(): number {
    if (this.at >= this.end) this.fail('a byte is missing');
    return this.bytes[this.at++]!;
  }

  uint16(): number {
    return this.take(2).readUInt16LE();
  }

  uint32(): number {
    return this.take(4).readUInt32LE();
  }

  /** A little-endian 64-bit time. Exact up to 2^53. */
  timeMs(): number {
    return Number(this.take(8).readBigInt64LE());
  }

  double(): number {
    return this.take(8).readDoubleLE();
  }

  /** A plain length of the snapshot format. Rounded above 2^53. */
  length(): number {
    return readLength(this.bytes, this.#passLength());
  }

  /** As `length`, exact. */
  length64(): bigint {
    return readLength64(this.bytes, this.#passLength());
  }

  /** Returns where the length stands. */
  #passLength(): number {
    const start = this.at;
    const next = lengthEnd(this.bytes, start, this.end);
    if (next < 0) this.fail('a length is cut or unknown');
    this.at = next;
    return start;
  }

  /** A string of the snapshot format: plain, integer or compressed. */
  string(): Buffer {
    const start = this.at;
    const next = stringEnd(this.bytes, start, this.end);
    if (next < 0 || next > this.end) this.fail('a string is cut or unknown');
    const content = readString(this.bytes, start, next);
    if (content === undefined) this.fail('a string does not decompress');
    this.at = next;
    return content;
  }

  /** Asserts that nothing is left. */
  close(): void {
    if (this.at !== this.end) this.fail(`${this.end - this.at} bytes are left over`);
  }

  fail(message: string): never {
    throw corrupt(`${this.#what} is malformed: ${message}`, `value byte ${this.at}`);
  }
}
