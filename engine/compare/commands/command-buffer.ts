/** Builds pipelined commands in one reused buffer. Keys are copied in the bulk form in which SCAN delivered them. */
import { encodeCommand, type Argument } from '../../resp/encode.ts';
import type { ReplyBatch } from './reply-batch.ts';

/** The part of a command in front of its key: `*2 $4 DUMP` for `commandHead(2, 'DUMP')`. */
export function commandHead(words: number, ...first: string[]): Buffer {
  const parts = first.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return Buffer.from(`*${words}\r\n${parts.join('')}`, 'latin1');
}

export class CommandBuffer {
  /** Commands so far. */
  count = 0;
  #bytes = Buffer.allocUnsafeSlow(64 * 1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** A whole command. */
  command(...args: Argument[]): void {
    this.#append(encodeCommand(args));
    this.count++;
  }

  /** `head` followed by the key that is item `item` of `batch`: one command. */
  keyCommand(head: Buffer, batch: ReplyBatch, item: number): void {
    const from = batch.head[item]!;
    const to = batch.end[item]! + 2;
    const size = head.length + (to - from);
    this.#reserve(size);
    const out = this.#bytes;
    let at = this.#length;
    for (let index = 0; index < head.length; index++) out[at++] = head[index]!;
    const bytes = batch.bytes;
    if (to - from > 256) bytes.copy(out, at, from, to);
    else for (let index = from; index < to; index++) out[at++] = bytes[index]!;
    this.#length += size;
    this.count++;
  }

  /** A copy of what was built; the buffer starts anew. (A copy: the socket may hold on to it while we build the next.) */
  take(): Buffer {
    const bytes = Buffer.from(this.#bytes.subarray(0, this.#length));
    this.#length = 0;
    this.count = 0;
    return bytes;
  }

  #append(bytes: Buffer): void {
    this.#reserve(bytes.length);
    bytes.copy(this.#bytes, this.#length);
    this.#length += bytes.length;
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#length + size, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
