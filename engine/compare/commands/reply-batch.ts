/**
 * The replies of one pipelined write, as positions in one buffer: no object per reply. Sans-IO.
 *
 * Arrays are flattened: `*2 $1 0 *3 …` becomes an ARRAY item (whose number is 2), the cursor, an ARRAY item (3), and
 * three BULK items. Reading a million small values this way costs a third of what reply objects cost.
 */
import { SyncError } from '../../errors.ts';

export const ITEM = { BULK: 0, NULL: 1, INTEGER: 2, SIMPLE: 3, ERROR: 4, ARRAY: 5 } as const;

const CR = 13;
const BUFFER_BYTES = 256 * 1024;

export class ReplyBatch {
  /** Number of items. */
  count = 0;
  bytes: Buffer;
  kind: Uint8Array;
  /** Where an item's bytes begin and end (BULK, SIMPLE, ERROR); `head` is where its header line begins. */
  head: Float64Array;
  start: Float64Array;
  end: Float64Array;
  /** Value of an INTEGER (exact to 2^53), length of an ARRAY. */
  number: Float64Array;

  /** Bytes received, bytes parsed, and items still to come. */
  #filled = 0;
  #at = 0;
  #remaining = 0;

  constructor() {
    this.bytes = Buffer.allocUnsafeSlow(BUFFER_BYTES);
    this.kind = new Uint8Array(1024);
    this.head = new Float64Array(1024);
    this.start = new Float64Array(1024);
    this.end = new Float64Array(1024);
    this.number = new Float64Array(1024);
  }

  /** Starts anew: `replies` top-level replies are expected. */
  expect(replies: number): void {
    this.count = 0;
    this.#filled = 0;
    this.#at = 0;
    this.#remaining = replies;
  }

  /** Bytes received that belong to this batch, in total. */
  get length(): number {
    return this.#at;
  }

  /**
   * Takes bytes; returns how many of `chunk` (from `from`) belong to this batch, or -1 when the batch is not complete.
   * @throws SyncError PROTOCOL
   */
  push(chunk: Buffer, from: number): number {
    const before = this.#filled;
    const size = chunk.length - from;
    this.#reserve(before + size);
    chunk.copy(this.bytes, before, from);
    this.#filled += size;
    if (!this.#parse()) return -1;
    const used = this.#at - before;
    this.#filled = this.#at;
    return used;
  }

  /** The bytes of an item as text. */
  text(item: number): string {
    return this.bytes.toString('utf8', this.start[item], this.end[item]);
  }

  /** The bytes of an item, copied. */
  copy(item: number): Buffer {
    return Buffer.from(this.bytes.subarray(this.start[item], this.end[item]));
  }

  #parse(): boolean {
    const bytes = this.bytes;
    const filled = this.#filled;
    while (this.#remaining > 0) {
      const head = this.#at;
      const lineEnd = findLineEnd(bytes, head, filled);
      if (lineEnd === -1) return false;
      const type = bytes[head];
      let next = lineEnd + 2;
      if (type === 0x24) {
        const length = lineInteger(bytes, head + 1, lineEnd);
        if (length < 0) this.#add(ITEM.NULL, head, next, next, 0);
        else {
          if (next + length + 2 > filled) return false;
          this.#add(ITEM.BULK, head, next, next + length, 0);
          next += length + 2;
        }
      } else if (type === 0x3a)
        this.#add(ITEM.INTEGER, head, head + 1, lineEnd, lineInteger(bytes, head + 1, lineEnd));
      else if (type === 0x2a) this.#addArray(head, next, lineInteger(bytes, head + 1, lineEnd));
      else if (type === 0x2b) this.#add(ITEM.SIMPLE, head, head + 1, lineEnd, 0);
      else if (type === 0x2d) this.#add(ITEM.ERROR, head, head + 1, lineEnd, 0);
      else throw new SyncError('PROTOCOL', `The server sent a reply that begins with byte ${type}.`);
      this.#at = next;
      this.#remaining--;
    }
    return true;
  }

  #addArray(head: number, next: number, length: number): void {
    if (length < 0) return this.#add(ITEM.NULL, head, next, next, 0);
    this.#add(ITEM.ARRAY, head, next, next, length);
    this.#remaining += length;
  }

  #add(kind: number, head: number, start: number, end: number, value: number): void {
    const item = this.count++;
    if (item >= this.kind.length) this.#growItems();
    this.kind[item] = kind;
    this.head[item] = head;
    this.start[item] = start;
    this.end[item] = end;
    this.number[item] = value;
  }

  #growItems(): void {
    const length = this.kind.length * 2;
    const kind = new Uint8Array(length);
    kind.set(this.kind);
    this.kind = kind;
    this.head = grown(this.head, length);
    this.start = grown(this.start, length);
    this.end = grown(this.end, length);
    this.number = grown(this.number, length);
  }

  #reserve(size: number): void {
    if (size <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(size, this.bytes.length * 2));
    this.bytes.copy(larger, 0, 0, this.#filled);
    this.bytes = larger;
  }
}

function grown(old: Float64Array, length: number): Float64Array {
  const larger = new Float64Array(length);
  larger.set(old);
  return larger;
}

/** The offset of the CR that ends the line at `from`, when its LF is there too; -1 otherwise. */
function findLineEnd(bytes: Buffer, from: number, filled: number): number {
  // Most lines are a header of a few bytes; an error text is the long exception.
  for (let at = from + 1; at + 1 < filled; at++) if (bytes[at] === CR) return at;
  return -1;
}

function lineInteger(bytes: Buffer, start: number, end: number): number {
  let at = start;
  const negative = bytes[at] === 45;
  if (negative) at++;
  let value = 0;
  for (; at < end; at++) value = value * 10 + (bytes[at]! - 48);
  return negative ? -value : value;
}
