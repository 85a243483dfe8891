/**
 * Incremental parser of server replies, RESP2 and the RESP3 types. Sans-IO: push chunks, replies come out through a
 * callback, in order. Resumable inside an aggregate and inside a bulk, so a reply cut into any number of chunks costs
 * each byte once (a parser that restarts from the reply's first byte is quadratic on a big HGETALL).
 */
import { SyncError } from '../errors.ts';
import { ReplyError, type Reply } from './reply.ts';

const CR = 13;
const LF = 10;
const PLUS = 0x2b;
const COLON = 0x3a;
const OK = Buffer.from('+OK\r\n');
const QUEUED = Buffer.from('+QUEUED\r\n');
/** `:` and 15 digits: below 2^53. */
const SMALL_INTEGER_BYTES = 16;
const MAX_DEPTH = 64;

interface OpenArray {
  items: Reply[];
  remaining: number;
}

export class ReplyParser {
  readonly #onReply: (reply: Reply) => void;
  #stack: OpenArray[] = [];
  /** Bytes of a line or bulk that is not complete yet. */
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  /** Total bytes wanted before parsing can go on; 0 = up to the next CRLF. */
  #wanted = 0;

  constructor(onReply: (reply: Reply) => void) {
    this.#onReply = onReply;
  }

  /** Throws SyncError PROTOCOL when the bytes are not RESP; the parser must not be used afterwards. */
  push(chunk: Buffer): void {
    let buffer = chunk;
    if (this.#pendingBytes > 0) {
      this.#pending.push(chunk);
      this.#pendingBytes += chunk.length;
      if (this.#wanted > this.#pendingBytes) return;
      buffer = Buffer.concat(this.#pending, this.#pendingBytes);
      this.#pending = [];
      this.#pendingBytes = 0;
    }
    this.#wanted = 0;
    let at = 0;
    while (at < buffer.length) {
      const next = this.#parseCommon(buffer, at) || this.#parseOne(buffer, at);
      if (next === -1) {
        const rest = buffer.subarray(at);
        this.#pending.push(rest);
        this.#pendingBytes = rest.length;
        return;
      }
      at = next;
    }
  }

  /**
   * The replies a pipeline of writes consists of (`+OK`, `+QUEUED`, small integers), without a call out of JavaScript and
   * without an allocation. 0 when it is another one, or not there completely.
   */
  #parseCommon(buffer: Buffer, at: number): number {
    const mark = buffer[at];
    if (mark === PLUS) {
      if (isAt(OK, buffer, at)) {
        this.#emit('OK');
        return at + OK.length;
      }
      if (!isAt(QUEUED, buffer, at)) return 0;
      this.#emit('QUEUED');
      return at + QUEUED.length;
    }
    if (mark !== COLON) return 0;
    let value = 0;
    const limit = Math.min(buffer.length, at + SMALL_INTEGER_BYTES);
    for (let index = at + 1; index < limit; index++) {
      const digit = buffer[index]! - 48;
      if (digit >= 0 && digit <= 9) value = value * 10 + digit;
      else if (index > at + 1 && buffer[index] === CR && buffer[index + 1] === LF) {
        this.#emit(value);
        return index + 2;
      } else return 0;
    }
    return 0;
  }

  /** Parses one line or bulk at `at`; returns the position behind it, or -1 when more bytes are needed. */
  #parseOne(buffer: Buffer, at: number): number {
    const lineEnd = findLineEnd(buffer, at + 1);
    if (lineEnd === -1) {
      if (buffer.length - at > 64 * 1024 && buffer[at] !== 0x2b && buffer[at] !== 0x2d) {
        throw protocolError(`a header line of more than 64 KiB`, buffer, at);
      }
      return -1;
    }
    const after = lineEnd + 2;
    switch (buffer[at]) {
      case 0x2b: // +
        this.#emit(buffer.toString('latin1', at + 1, lineEnd));
        return after;
      case 0x2d: // -
      case 0x21: // ! (RESP3 blob error is length-framed; servers talking RESP2 never send it)
        this.#emit(new ReplyError(buffer.toString('utf8', at + 1, lineEnd)));
        return after;
      case 0x3a: // :
        this.#emit(parseInteger(buffer, at + 1, lineEnd));
        return after;
      case 0x24: // $
      case 0x3d: // = verbatim
        return this.#parseBulk(buffer, at, lineEnd);
      case 0x2a: // *
      case 0x7e: // ~ set
      case 0x3e: // > push
        this.#open(parseLength(buffer, at + 1, lineEnd));
        return after;
      case 0x25: // % map
        this.#open(2 * parseLength(buffer, at + 1, lineEnd));
        return after;
      case 0x5f: // _ null
        this.#emit(null);
        return after;
      case 0x23: // # boolean
        this.#emit(buffer[at + 1] === 0x74 ? 1 : 0);
        return after;
      case 0x2c: // , double
      case 0x28: // ( big number
        this.#emit(buffer.toString('latin1', at + 1, lineEnd));
        return after;
      default:
        throw protocolError('an unknown reply type', buffer, at);
    }
  }

  #parseBulk(buffer: Buffer, at: number, lineEnd: number): number {
    const length = parseLength(buffer, at + 1, lineEnd);
    const start = lineEnd + 2;
    if (length === -1) {
      this.#emit(null);
      return start;
    }
    const end = start + length;
    if (end + 2 > buffer.length) {
      this.#wanted = end + 2 - at;
      return -1;
    }
    if (buffer[end] !== CR) throw protocolError('a bulk string without its CRLF', buffer, at);
    // Copied: a view would keep the whole network chunk alive for as long as the caller keeps one value.
    this.#emit(Buffer.from(buffer.subarray(start, end)));
    return end + 2;
  }

  #open(length: number): void {
    if (length === -1) return this.#emit(null);
    if (length === 0) return this.#emit([]);
    if (this.#stack.length >= MAX_DEPTH)
      throw new SyncError('PROTOCOL', 'The server sent a reply nested too deeply.');
    this.#stack.push({ items: [], remaining: length });
  }

  #emit(reply: Reply): void {
    let value = reply;
    for (;;) {
      const top = this.#stack.at(-1);
      if (top === undefined) {
        this.#onReply(value);
        return;
      }
      top.items.push(value);
      if (--top.remaining > 0) return;
      this.#stack.pop();
      value = top.items;
    }
  }
}

function isAt(expected: Buffer, buffer: Buffer, at: number): boolean {
  for (let index = 1; index < expected.length; index++)
    if (buffer[at + index] !== expected[index]) return false;
  return true;
}

function findLineEnd(buffer: Buffer, from: number): number {
  const at = buffer.indexOf(CR, from);
  return at === -1 || at + 1 >= buffer.length ? -1 : at;
}

function parseInteger(buffer: Buffer, start: number, end: number): number | bigint {
  const text = buffer.toString('latin1', start, end);
  const value = Number(text);
  if (!Number.isInteger(value))
    throw new SyncError('PROTOCOL', `The server sent "${text.slice(0, 40)}" as an integer.`);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

function parseLength(buffer: Buffer, start: number, end: number): number {
  const text = buffer.toString('latin1', start, end);
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < -1 || text === '') {
    throw new SyncError('PROTOCOL', `The server sent "${text.slice(0, 40)}" as a length.`);
  }
  return value;
}

function protocolError(what: string, buffer: Buffer, at: number): SyncError {
  const shown = JSON.stringify(buffer.toString('latin1', at, Math.min(at + 32, buffer.length)));
  return new SyncError('PROTOCOL', `The server sent ${what}: ${shown}.`, {
    hint: 'Is this a Redis-compatible port, and is TLS switched on exactly where the server has it?',
  });
}
