/**
 * Writes commands as RESP straight into one growing buffer. Same bytes as engine/resp/encode.ts, but without an array
 * and a string per word: seeding a million keys writes some ten million words.
 *
 * Invariant: between `begin(n)` and the next `begin` or `take` exactly n words are written.
 */
import assert from 'node:assert';

const CR = 13;
const LF = 10;
const STAR = 42;
const DOLLAR = 36;
const ZERO = 48;
/** Shorter copies are faster byte by byte than through a native call. */
const LOOP_MAX = 48;
/** `$4294967295\r\n` and a final CRLF. */
const FRAME = 16;
/** A buffer that grew beyond this many times the usual is not kept. */
const SPARE_GROWTH_MAX = 2;

/** Every buffer is a memory of its own (never a part of Node's shared pool), because `recycle` takes it whole. */
const allocate = (length: number): Buffer => Buffer.allocUnsafeSlow(length);

export interface Batch {
  bytes: Buffer;
  commands: number;
}

export class CommandWriter {
  #bytes: Buffer;
  #at = 0;
  #commands = 0;
  #missingWords = 0;
  readonly #capacity: number;
  readonly #spare: Buffer[] = [];

  constructor(capacity = 1 << 18) {
    this.#capacity = capacity;
    this.#bytes = allocate(capacity);
  }

  /** Bytes written since the last `take`. */
  get size(): number {
    return this.#at;
  }

  get commands(): number {
    return this.#commands;
  }

  /** A whole command of short ASCII words and buffers. The convenient, slower way. */
  command(...words: (string | number | Buffer)[]): void {
    this.begin(words.length);
    for (const word of words) {
      if (typeof word === 'string') this.ascii(word);
      else if (typeof word === 'number') this.integer(word);
      else this.binary(word);
    }
  }

  /** Starts a command of `words` words, its name included. */
  begin(words: number): void {
    assert(this.#missingWords === 0, 'the command before is incomplete');
    this.#reserve(FRAME);
    this.#header(STAR, words);
    this.#commands++;
    this.#missingWords = words;
  }

  /** A word of characters below 128. */
  ascii(text: string): void {
    const length = text.length;
    this.#word(length);
    if (length > LOOP_MAX) this.#bytes.write(text, this.#at, 'latin1');
    else for (let index = 0; index < length; index++) this.#bytes[this.#at + index] = text.charCodeAt(index);
    this.#end(length);
  }

  binary(bytes: Buffer): void {
    this.slice(bytes, 0, bytes.length);
  }

  /** A word of `length` bytes read from `source` as from a ring, beginning at `start`. */
  slice(source: Buffer, start: number, length: number): void {
    this.#word(length);
    this.#copy(source, start, length);
    this.#end(length);
  }

  /** `<number in base 36>:` followed by bytes of the ring, `length` in all (more if the number alone is longer). */
  numberedSlice(index: number, source: Buffer, start: number, length: number): void {
    const label = `${index.toString(36)}:`;
    const total = Math.max(length, label.length);
    this.#word(total);
    for (let at = 0; at < label.length; at++) this.#bytes[this.#at + at] = label.charCodeAt(at);
    this.#at += label.length;
    this.#copy(source, start, total - label.length);
    this.#at -= label.length;
    this.#end(total);
  }

  /** A word with a safe integer in decimal. */
  integer(value: number): void {
    if (value >= 0 && value < 1e9) {
      const length = digitsOf(value);
      this.#word(length);
      this.#decimal(value, length);
      this.#end(length);
      return;
    }
    this.ascii(String(value));
  }

  /** What was written, complete, and an empty writer again. The returned buffer is left alone until `recycle`. */
  take(): Batch {
    assert(this.#missingWords === 0, 'the last command is incomplete');
    const batch = { bytes: this.#bytes.subarray(0, this.#at), commands: this.#commands };
    this.#bytes = this.#spare.pop() ?? allocate(this.#capacity);
    this.#at = 0;
    this.#commands = 0;
    return batch;
  }

  /**
   * Gives a taken buffer back for writing: only when every reply to it has come, so that nobody reads it any more.
   * Without that, hundreds of megabytes of buffers are garbage in a few seconds, and collecting them is half the time.
   */
  recycle(bytes: Buffer): void {
    const whole = Buffer.from(bytes.buffer);
    if (whole.length <= SPARE_GROWTH_MAX * this.#capacity) this.#spare.push(whole);
  }

  #word(length: number): void {
    this.#missingWords--;
    this.#reserve(length + FRAME);
    this.#header(DOLLAR, length);
  }

  #end(length: number): void {
    this.#at += length;
    this.#bytes[this.#at++] = CR;
    this.#bytes[this.#at++] = LF;
  }

  #copy(source: Buffer, start: number, length: number): void {
    let from = start % source.length;
    if (length <= LOOP_MAX && from + length <= source.length) {
      for (let index = 0; index < length; index++) this.#bytes[this.#at + index] = source[from + index] ?? 0;
      return;
    }
    for (let done = 0; done < length;) {
      const part = Math.min(length - done, source.length - from);
      source.copy(this.#bytes, this.#at + done, from, from + part);
      done += part;
      from = 0;
    }
  }

  #header(mark: number, count: number): void {
    this.#bytes[this.#at++] = mark;
    const length = digitsOf(count);
    this.#decimal(count, length);
    this.#at += length;
    this.#bytes[this.#at++] = CR;
    this.#bytes[this.#at++] = LF;
  }

  /** Writes without moving on. */
  #decimal(value: number, length: number): void {
    let rest = value;
    for (let at = this.#at + length - 1; at >= this.#at; at--) {
      const next = Math.floor(rest / 10);
      this.#bytes[at] = ZERO + rest - next * 10;
      rest = next;
    }
  }

  #reserve(length: number): void {
    const needed = this.#at + length;
    if (needed <= this.#bytes.length) return;
    const grown = allocate(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#at);
    this.#bytes = grown;
  }
}

function digitsOf(value: number): number {
  if (value < 10) return 1;
  if (value < 100) return 2;
  if (value < 1000) return 3;
  if (value < 10_000) return 4;
  let digits = 5;
  for (let bound = 100_000; value >= bound; bound *= 10) digits++;
  return digits;
}
