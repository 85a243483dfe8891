/**
 * Frames the command stream of a source: RESP arrays of bulk strings, and bare newlines. Sans-IO; a frame is positions
 * inside a buffer, without a copy unless its command was cut by a chunk. Bytes are counted, because a replication
 * offset is nothing else.
 *
 *   *3\r\n $3\r\nSET\r\n $1\r\nk\r\n $1\r\nv\r\n
 *   ^start        ^argStart[0] … argEnd[0]       ^end
 *
 * A cut command is collected in `#held`, and parsing goes on at the word where it stopped: every byte is looked at once
 * and copied a bounded number of times, however many chunks and words a command has.
 */
import { SyncError } from '../errors.ts';

const CR = 13;
const LF = 10;
const STAR = 42;
const DOLLAR = 36;
const ZERO = 48;
const NINE = 57;

/** Enough for every length that may pass; leading zeros without end are no number. */
const DIGITS_MAX = 20;
/** How much is copied at a time to complete a cut line, when nobody knows yet how long the command is. */
const SLICE_BYTES = 1024;
/** Position tables longer than this are given back after the command that needed them. */
const KEPT_POSITIONS = 64 * 1024;

/** One framed command. Reused between callbacks. The bytes stay as they are until the next `push`. */
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
  readonly #frame: CommandFrame = {
    buffer: Buffer.alloc(0),
    start: 0,
    end: 0,
    argc: 0,
    argStart: [],
    argEnd: [],
  };
  /** The beginning of a command that is not complete; never reused, so that frames in it outlive the next hold. */
  #held: Buffer | undefined;
  #heldBytes = 0;
  /** Held command: how far its parsing came, relative to its start. */
  #at = 0;
  #index = 0;
  #argc = -1;
  /** Held command: bytes it has at least. */
  #wanted = 0;
  #consumed = 0;

  constructor(onCommand: (frame: CommandFrame) => void, limits: FramerLimits = {}) {
    this.#onCommand = onCommand;
    this.#bulkBytesMax = limits.bulkBytesMax ?? 4 * 1024 ** 3;
    this.#argumentsMax = limits.argumentsMax ?? 4 * 1024 * 1024;
  }

  /** Bytes of everything framed completely, newlines included. During a callback: up to and including the current command. */
  get consumed(): number {
    return this.#consumed;
  }

  /** Bytes held back because their command is not complete. */
  get pendingBytes(): number {
    return this.#heldBytes;
  }

  /** Throws SyncError PROTOCOL when the bytes are not a command stream; the framer must not be used afterwards. */
  push(chunk: Buffer): void {
    let at = this.#held === undefined ? 0 : this.#complete(this.#held, chunk);
    while (at < chunk.length) {
      if (chunk[at] === LF) {
        at++;
        this.#consumed++;
        continue;
      }
      const end = this.#parse(chunk, at, chunk.length);
      if (end === -1) return this.#hold(chunk, at);
      this.#emit(chunk, at, end);
      at = end;
    }
  }

  #emit(buffer: Buffer, start: number, end: number): void {
    const frame = this.#frame;
    frame.buffer = buffer;
    frame.start = start;
    frame.end = end;
    this.#consumed += end - start;
    this.#onCommand(frame);
    if (frame.argStart.length > KEPT_POSITIONS) {
      frame.argStart = [];
      frame.argEnd = [];
    }
  }

  /** Keeps the incomplete command at the end of a chunk. */
  #hold(chunk: Buffer, start: number): void {
    const length = chunk.length - start;
    this.#held = Buffer.allocUnsafe(length + Math.min(SLICE_BYTES, length));
    chunk.copy(this.#held, 0, start);
    this.#heldBytes = length;
    const { argStart, argEnd } = this.#frame;
    for (let index = 0; index < this.#index; index++) {
      argStart[index] = argStart[index]! - start;
      argEnd[index] = argEnd[index]! - start;
    }
  }

  /** Adds from the chunk what the held command lacks; returns how much of the chunk was used. */
  #complete(first: Buffer, chunk: Buffer): number {
    let held = first;
    let from = 0;
    while (from < chunk.length) {
      const take = Math.min(
        this.#wanted > this.#heldBytes ? this.#wanted - this.#heldBytes : SLICE_BYTES,
        chunk.length - from,
      );
      held = this.#append(held, chunk, from, take);
      from += take;
      if (this.#heldBytes < this.#wanted) break;
      const end = this.#parse(held, 0, this.#heldBytes);
      if (end === -1) continue;
      from -= this.#heldBytes - end;
      this.#held = undefined;
      this.#heldBytes = 0;
      this.#emit(held, 0, end);
      return from;
    }
    this.#held = held;
    return from;
  }

  #append(held: Buffer, chunk: Buffer, from: number, take: number): Buffer {
    const needed = this.#heldBytes + take;
    let room = held;
    if (needed > held.length) {
      // Doubling, also when a length was announced: it may be a lie.
      const doubled = held.length * 2;
      room = Buffer.allocUnsafe(
        Math.max(needed, this.#wanted > needed ? Math.min(doubled, this.#wanted) : doubled),
      );
      held.copy(room, 0, 0, this.#heldBytes);
    }
    chunk.copy(room, this.#heldBytes, from, from + take);
    this.#heldBytes = needed;
    return room;
  }

  /**
   * Position behind the command that begins at `start`, or -1 when it is not complete; then the next call for the same
   * command goes on where this one stopped. Fills the frame's arguments.
   */
  #parse(buffer: Buffer, start: number, length: number): number {
    const { argStart, argEnd } = this.#frame;
    let argc = this.#argc;
    let index = this.#index;
    /** Behind the last line or word that was complete. */
    let at = start + this.#at;
    if (argc === -1) {
      const after = this.#readNumber(buffer, at, length, STAR, this.#argumentsMax, start);
      if (after === -1) return this.#stop(start, at, 0, -1, 0);
      argc = this.#number;
      if (argc === 0) throw notACommand(buffer, start, length);
      at = after;
    }
    for (; index < argc; index++) {
      const after = this.#readNumber(buffer, at, length, DOLLAR, this.#bulkBytesMax, start);
      if (after === -1) return this.#stop(start, at, index, argc, 0);
      const end = after + this.#number;
      if (end + 2 > length) return this.#stop(start, at, index, argc, end + 2 - start);
      if (buffer[end] !== CR || buffer[end + 1] !== LF) throw notACommand(buffer, at, length);
      argStart[index] = after;
      argEnd[index] = end;
      at = end + 2;
    }
    this.#frame.argc = argc;
    this.#stop(0, 0, 0, -1, 0);
    return at;
  }

  #stop(start: number, at: number, index: number, argc: number, wanted: number): -1 {
    this.#at = at - start;
    this.#index = index;
    this.#argc = argc;
    this.#wanted = wanted;
    return -1;
  }

  /** What the last `#readNumber` read. */
  #number = 0;

  /** Reads `<mark><digits>\r\n`; returns the position behind it, or -1 when it is not complete. */
  #readNumber(
    buffer: Buffer,
    from: number,
    length: number,
    mark: number,
    max: number,
    start: number,
  ): number {
    if (from >= length) return -1;
    if (buffer[from] !== mark) throw notACommand(buffer, from, length);
    let at = from + 1;
    let value = 0;
    for (; at < length; at++) {
      const byte = buffer[at]!;
      if (byte === CR) break;
      if (byte < ZERO || byte > NINE) throw notACommand(buffer, start, length);
      value = value * 10 + byte - ZERO;
      if (value > max || at - from > DIGITS_MAX) throw notACommand(buffer, start, length);
    }
    if (at + 1 >= length) return -1;
    if (at === from + 1 || buffer[at + 1] !== LF) throw notACommand(buffer, start, length);
    this.#number = value;
    return at + 2;
  }
}

function notACommand(buffer: Buffer, at: number, length: number): SyncError {
  const shown = JSON.stringify(buffer.toString('latin1', at, Math.min(at + 40, length)));
  return new SyncError('PROTOCOL', `The source's command stream has ${shown} where a command should begin.`, {
    hint: 'The bytes were damaged on the way, or the offset is wrong: the link must do a full sync.',
  });
}
