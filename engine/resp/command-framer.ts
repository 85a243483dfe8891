/**
 * Frames the command stream of a source: RESP arrays of bulk strings, and bare newlines. Sans-IO and zero-copy: a
 * frame is positions inside the chunk, valid only during the callback. Bytes are counted, because a replication
 * offset is nothing else.
 *
 *   *3\r\n $3\r\nSET\r\n $1\r\nk\r\n $1\r\nv\r\n
 *   ^start        ^argStart[0] … argEnd[0]       ^end
 */
import { SyncError } from '../errors.ts';

const CR = 13;
const LF = 10;
const STAR = 42;
const DOLLAR = 36;

/** One framed command. Reused between callbacks. */
export interface CommandFrame {
  buffer: Buffer;
  start: number;
  end: number;
  argc: number;
  argStart: number[];
  argEnd: number[];
}

export interface FramerLimits {
  /** Largest bulk a server can send; a longer one is a protocol error. Default 4 GiB. */
  bulkBytesMax?: number;
  /** Most words in one command. Default 1,048,576 × 4 (MSET and ZADD in the wild). */
  argumentsMax?: number;
}

export class CommandFramer {
  readonly #onCommand: (frame: CommandFrame) => void;
  readonly #bulkBytesMax: number;
  readonly #argumentsMax: number;
  readonly #frame: CommandFrame = { buffer: Buffer.alloc(0), start: 0, end: 0, argc: 0, argStart: [], argEnd: [] };
  #parts: Buffer[] = [];
  #partsBytes = 0;
  /** Bytes that must be there before trying again is worth it (the incomplete command is not parsed per chunk). */
  #wanted = 0;
  /** Bytes of complete commands handed out so far, newlines included. */
  #consumed = 0;

  constructor(onCommand: (frame: CommandFrame) => void, limits: FramerLimits = {}) {
    this.#onCommand = onCommand;
    this.#bulkBytesMax = limits.bulkBytesMax ?? 4 * 1024 ** 3;
    this.#argumentsMax = limits.argumentsMax ?? 4 * 1024 * 1024;
  }

  /** Bytes of everything framed completely. During a callback: up to and including the current command. */
  get consumed(): number {
    return this.#consumed;
  }

  /** Bytes held back because their command is not complete. */
  get pendingBytes(): number {
    return this.#partsBytes;
  }

  /** Throws SyncError PROTOCOL when the bytes are not a command stream; the framer must not be used afterwards. */
  push(chunk: Buffer): void {
    let buffer = chunk;
    if (this.#partsBytes > 0) {
      this.#parts.push(chunk);
      this.#partsBytes += chunk.length;
      if (this.#partsBytes < this.#wanted) return;
      buffer = Buffer.concat(this.#parts, this.#partsBytes);
      this.#parts = [];
      this.#partsBytes = 0;
    }
    this.#wanted = 0;
    const frame = this.#frame;
    frame.buffer = buffer;
    let at = 0;
    while (at < buffer.length) {
      if (buffer[at] === LF) {
        at++;
        this.#consumed++;
        continue;
      }
      const end = this.#parse(buffer, at);
      if (end === -1) {
        const rest = buffer.subarray(at);
        this.#parts.push(rest);
        this.#partsBytes = rest.length;
        return;
      }
      frame.start = at;
      frame.end = end;
      this.#consumed += end - at;
      this.#onCommand(frame);
      at = end;
    }
  }

  /** Position behind the command that begins at `start`, or -1 when it is not complete. Fills the frame's arguments. */
  #parse(buffer: Buffer, start: number): number {
    const frame = this.#frame;
    const length = buffer.length;
    if (buffer[start] !== STAR) throw notACommand(buffer, start);
    let at = start + 1;
    let argc = 0;
    for (;;) {
      if (at >= length) return -1;
      const byte = buffer[at++] as number;
      if (byte === CR) break;
      if (byte < 48 || byte > 57) throw notACommand(buffer, start);
      argc = argc * 10 + byte - 48;
      if (argc > this.#argumentsMax) throw notACommand(buffer, start);
    }
    at++; // LF
    for (let index = 0; index < argc; index++) {
      if (at >= length) return -1;
      if (buffer[at] !== DOLLAR) throw notACommand(buffer, at);
      at++;
      let size = 0;
      for (;;) {
        if (at >= length) return -1;
        const byte = buffer[at++] as number;
        if (byte === CR) break;
        if (byte < 48 || byte > 57) throw notACommand(buffer, start);
        size = size * 10 + byte - 48;
        if (size > this.#bulkBytesMax) throw notACommand(buffer, start);
      }
      at++; // LF
      frame.argStart[index] = at;
      at += size;
      frame.argEnd[index] = at;
      at += 2;
      if (at > length) {
        this.#wanted = at - start;
        return -1;
      }
    }
    if (argc === 0) throw notACommand(buffer, start);
    frame.argc = argc;
    return at;
  }
}

function notACommand(buffer: Buffer, at: number): SyncError {
  const shown = JSON.stringify(buffer.toString('latin1', at, Math.min(at + 40, buffer.length)));
  return new SyncError('PROTOCOL', `The source's command stream has ${shown} where a command should begin.`, {
    hint: 'The bytes were damaged on the way, or the offset is wrong: the link must do a full sync.',
  });
}
