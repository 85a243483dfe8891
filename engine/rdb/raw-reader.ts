/**
 * The raw level of the snapshot format: a push parser that hands out each key with its value's bytes, untouched.
 *
 *   HEADER ──9 bytes──▶ RECORDS ──EOF opcode──▶ CHECKSUM ──8 bytes──▶ DONE
 *                                     └────────── version < 5 ──────────▶
 *
 * Chunks may be cut anywhere. Records that lie whole in a chunk are read in place. A record that does not is collected
 * in `#held` and goes on from where it stopped: its value through the resumable skipper, so that a value of any size is
 * walked once; its head (opcode, key) from its start, but only when the bytes known to be missing are there.
 *
 * Sources: rdbLoadRioWithLoadingCtx in src/rdb.c of Redis 2.8 … 8 and Valkey 8, 9.
 */
import { asError } from '../errors.ts';
import { corrupt, printKey } from './corrupt.ts';
import { EntryEmitter } from './entry-emitter.ts';
import type { SnapshotHandler } from './entry.ts';
import {
  CHECKSUM_SINCE_VERSION,
  FIRST_OPCODE,
  type Flavor,
  HEADER_BYTES,
  moduleName,
  OPCODE,
  readHeader,
  TYPE,
  VERSION_MAX,
} from './format.ts';
import { HeldBytes } from './held-bytes.ts';
import { INCOMPLETE, MALFORMED, readLength64, readString, stringEnd } from './length.ts';
import { OperationReader } from './operations.ts';
import {
  KEY_META_PROGRAM,
  MODULE_AUX_PROGRAM,
  SINGLE_STRING,
  SKIP_PROGRAMS,
  SLOT_IMPORT_PROGRAM,
  type SkipProgram,
} from './skip-programs.ts';
import { SnapshotChecksum } from './snapshot-checksum.ts';
import { type Fault, ValueSkipper } from './value-skipper.ts';

export interface RawReaderOptions {
  /** A value (or key, or function library) above this is refused. Default 4 GiB, what one Buffer can hold. */
  maxValueBytes?: number;
  /**
   * With a handler that has `largeStart`: a value that is still incomplete after so many bytes is handed out in parts
   * instead of being collected. Default: never.
   */
  maxInlineBytes?: number;
  /**
   * `ignore`: do not compute the CRC64, for readers that apply nothing and ask the server again about whatever looks
   * wrong. Default `verify`.
   */
  checksum?: 'verify' | 'ignore';
}

/** How much of a chunk is copied at once to complete a held record: most need a few bytes only. */
const SLICE_BYTES = 4096;
const NOTHING = Buffer.alloc(0);

type Phase = 'HEADER' | 'RECORDS' | 'CHECKSUM' | 'DONE';

export class RawSnapshotReader {
  readonly #handler: SnapshotHandler;
  readonly #maxValueBytes: number;
  readonly #maxInlineBytes: number;
  readonly #skipper: ValueSkipper;
  readonly #operations: OperationReader;
  readonly #emitter: EntryEmitter;
  readonly #checksum = new SnapshotChecksum();
  readonly #verifies: boolean;
  readonly #held = new HeldBytes();

  #phase: Phase = 'HEADER';
  #failure: Error | undefined;
  /** Bytes of the snapshot in earlier chunks. */
  #received = 0;
  /** Snapshot offset of index 0 of the buffer being read, for error messages. */
  #base = 0;
  #version = 0;
  #flavor: Flavor = 'REDIS';
  #programs: readonly (SkipProgram | undefined)[] = SKIP_PROGRAMS.REDIS;

  /** Held record: bytes it needs at least, counted from its start. */
  #need = 0;
  /** Held record: inside its value. Then the key is `[#keyAt, #valueAt)` and the skipper goes on at `#skipAt`. */
  #inValue = false;
  #keyAt = 0;
  #valueAt = 0;
  #skipAt = 0;
  #opcode = 0;
  /** The buffer that the offsets above count in, while a value is being walked. */
  #walked: Buffer = NOTHING;
  /** Bytes of the value that were handed out in parts; -1 = the value is collected. */
  #partBytes = -1;

  /**
   * The handler is called synchronously from `push`. The entry object and every buffer in it are valid only during the
   * callback: the object is reused, the buffers are views.
   */
  constructor(handler: SnapshotHandler, options: RawReaderOptions = {}) {
    this.#handler = handler;
    this.#maxValueBytes = options.maxValueBytes ?? 4 * 1024 ** 3;
    this.#maxInlineBytes = handler.largeStart === undefined ? Infinity : (options.maxInlineBytes ?? Infinity);
    this.#verifies = options.checksum !== 'ignore';
    const fault: Fault = (message, at) => this.#fail(message, at);
    this.#emitter = new EntryEmitter(handler, fault);
    this.#operations = new OperationReader(handler, this.#emitter.entry, fault);
    this.#skipper = new ValueSkipper((message, at) => this.#failInValue(message, at), this.#maxValueBytes);
  }

  /** The end of the snapshot was reached and its checksum was right. */
  get done(): boolean {
    return this.#phase === 'DONE';
  }

  /** The RDB version, 0 before the header was read. A DUMP payload of an entry must carry it. */
  get version(): number {
    return this.#version;
  }

  get flavor(): Flavor {
    return this.#flavor;
  }

  /**
   * Takes the next bytes. Returns how many belonged to the snapshot: all of them, except when the snapshot ended inside
   * the chunk; the rest is the command stream (or the EOF mark of a diskless transfer).
   * @throws SyncError SNAPSHOT_CORRUPT; whatever a callback throws. After either the reader throws the same again.
   */
  push(chunk: Buffer): number {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      return this.#consume(chunk);
    } catch (thrown) {
      this.#failure = asError(thrown);
      throw this.#failure;
    }
  }

  /**
   * To be called when no more bytes will come.
   * @throws SyncError SNAPSHOT_CORRUPT when the snapshot is not complete.
   */
  finish(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#phase === 'DONE') return;
    let doing = this.#held.length > 0 || this.#inValue ? 'inside a record' : 'before its end mark';
    if (this.#phase === 'CHECKSUM') doing = 'inside its checksum';
    throw corrupt(`the snapshot was cut ${doing}`, `snapshot byte ${this.#received}`);
  }

  #consume(chunk: Buffer): number {
    let at = 0;
    if (this.#phase === 'HEADER' || this.#phase === 'RECORDS') {
      if (this.#held.length > 0 || this.#inValue) at = this.#resume(chunk);
      at = this.#records(chunk, at);
      if (this.#verifies) this.#checksum.cover(chunk, 0, at);
    }
    if (this.#phase === 'CHECKSUM') at = this.#readChecksum(chunk, at);
    this.#received += at;
    return at;
  }

  /** Completes the held record; returns the offset in `chunk` behind it, or its length when it is still not complete. */
  #resume(chunk: Buffer): number {
    const held = this.#held;
    this.#base = this.#received - held.length;
    let at = 0;
    while (at < chunk.length) {
      const before = held.length;
      const take = Math.min(chunk.length - at, Math.max(this.#need - before, SLICE_BYTES));
      held.append(chunk, at, at + take);
      if (this.#inValue || held.length >= this.#need) {
        const next = this.#inValue ? this.#continueValue() : this.#record(held.bytes, 0, held.length);
        if (next >= 0) {
          held.clear();
          return at + next - before;
        }
      }
      at += take;
    }
    return at;
  }

  /** Reads records in place from `at`; holds back what does not end inside the chunk. */
  #records(chunk: Buffer, start: number): number {
    this.#base = this.#received;
    let at = start;
    while (at < chunk.length && this.#phase !== 'CHECKSUM' && this.#phase !== 'DONE') {
      const next = this.#record(chunk, at, chunk.length);
      if (next < 0) {
        this.#held.append(chunk, at, chunk.length);
        return chunk.length;
      }
      at = next;
    }
    return at;
  }

  /** Reads the record at `at`; returns the offset behind it, or INCOMPLETE with `#need` (and the value state) set. */
  #record(bytes: Buffer, at: number, end: number): number {
    if (this.#phase === 'HEADER') return this.#header(bytes, at, end);
    const opcode = bytes[at]!;
    return opcode < FIRST_OPCODE
      ? this.#keyAndValue(bytes, at, end, opcode)
      : this.#operation(bytes, at, end, opcode);
  }

  #header(bytes: Buffer, at: number, end: number): number {
    if (end - at < HEADER_BYTES) return this.#incomplete(at, at + HEADER_BYTES);
    const header = readHeader(bytes, at);
    if (header === undefined) {
      return this.#fail(`${printKey(bytes.subarray(at, at + HEADER_BYTES))} does not begin a snapshot`, at);
    }
    this.#flavor = header.flavor;
    this.#version = header.version;
    if (this.#version < 1 || this.#version > VERSION_MAX[this.#flavor]) {
      this.#fail(`${this.#flavor} snapshot version ${this.#version} is not known`, at);
    }
    this.#programs = SKIP_PROGRAMS[this.#flavor];
    this.#phase = 'RECORDS';
    this.#handler.header?.(this.#version, this.#flavor);
    return at + HEADER_BYTES;
  }

  #keyAndValue(bytes: Buffer, at: number, end: number, type: number): number {
    const valueAt = stringEnd(bytes, at + 1, end);
    if (valueAt === MALFORMED) {
      this.#fail(`type ${type}: 0x${bytes[at + 1]!.toString(16)} does not start a key`, at + 1);
    }
    if (valueAt < 0 || valueAt > end) return this.#incomplete(at, Math.max(valueAt, at + 2));
    const program = this.#programs[type];
    if (program === undefined) return this.#failOnType(bytes, at, valueAt, type);
    if (program === SINGLE_STRING) {
      const valueEnd = stringEnd(bytes, valueAt, end);
      if (valueEnd >= 0 && valueEnd <= end) {
        this.#deliver(bytes, type, at + 1, valueAt, valueEnd);
        return valueEnd;
      }
    }
    return this.#skip(bytes, at, valueAt, end, type, program);
  }

  #failOnType(bytes: Buffer, at: number, keyEnd: number, type: number): never {
    const key = readString(bytes, at + 1, keyEnd) ?? NOTHING;
    const is =
      type === TYPE.MODULE_PRE_GA
        ? 'a module value of a 4.0 release candidate, whose end only the module knows'
        : 'not a value type';
    this.#fail(`type ${type} of key ${printKey(key)} is ${is}`, at);
  }

  /** Starts on a value (or another part of a record that has no length in front). */
  #skip(
    bytes: Buffer,
    at: number,
    valueAt: number,
    end: number,
    opcode: number,
    program: SkipProgram,
  ): number {
    this.#opcode = opcode;
    this.#keyAt = at + 1;
    this.#valueAt = valueAt;
    this.#walked = bytes;
    this.#skipper.begin(program);
    const stop = this.#skipper.run(bytes, valueAt, end);
    if (this.#skipper.complete) {
      this.#ended(bytes, stop);
      return stop;
    }
    this.#checkSize(stop);
    // From here on offsets count from the record's start, which is where it will stand in #held.
    this.#keyAt = 1;
    this.#valueAt = valueAt - at;
    this.#inValue = true;
    return this.#stopped(stop - at);
  }

  /** Goes on with the held value. */
  #continueValue(): number {
    this.#walked = this.#held.bytes;
    const stop = this.#skipper.run(this.#held.bytes, this.#skipAt, this.#held.length);
    if (!this.#skipper.complete) {
      this.#checkSize(stop);
      this.#stopped(stop);
      if (this.#partBytes >= 0 || this.#held.length - this.#valueAt > this.#maxInlineBytes) this.#flushPart();
      return INCOMPLETE;
    }
    this.#inValue = false;
    this.#ended(this.#held.bytes, stop);
    return stop;
  }

  #stopped(skipAt: number): number {
    this.#skipAt = skipAt;
    this.#need = skipAt + Math.max(this.#skipper.owed, 1);
    return INCOMPLETE;
  }

  /** Refuses a value that is, or will be, above the limit; the skipper has come to `stop`. */
  #checkSize(stop: number): void {
    const start = this.#valueAt - Math.max(this.#partBytes, 0);
    const valueBytes = stop + this.#skipper.owed - start;
    if (valueBytes > this.#maxValueBytes) {
      this.#failInValue(`at least ${valueBytes} bytes are above the limit`, start);
    }
  }

  /** Hands out what the skipper has passed, and keeps the rest. */
  #flushPart(): void {
    if (this.#opcode >= FIRST_OPCODE) return;
    const { bytes } = this.#held;
    if (this.#partBytes < 0) {
      this.#partBytes = 0;
      this.#emitter.startParts(bytes, this.#opcode, this.#keyAt, this.#valueAt);
    }
    this.#emitter.part(bytes, this.#valueAt, this.#skipAt);
    this.#partBytes += this.#skipAt - this.#valueAt;
    this.#held.drop(this.#skipAt);
    this.#base += this.#skipAt;
    this.#need -= this.#skipAt;
    this.#valueAt = 0;
    this.#skipAt = 0;
  }

  /** The skipper found the end of what `#skip` began. */
  #ended(bytes: Buffer, stop: number): void {
    this.#walked = NOTHING;
    if (this.#opcode < FIRST_OPCODE) {
      if (this.#partBytes < 0) {
        this.#deliver(bytes, this.#opcode, this.#keyAt, this.#valueAt, stop);
        return;
      }
      this.#emitter.part(bytes, this.#valueAt, stop);
      this.#partBytes = -1;
      this.#emitter.endParts();
    } else if (this.#opcode === OPCODE.MODULE_AUX) {
      this.#handler.moduleAux?.(moduleName(readLength64(bytes, this.#valueAt)));
    } else if (this.#flavor === 'REDIS') {
      this.#handler.moduleAux?.('metadata of a key');
    }
  }

  #deliver(bytes: Buffer, type: number, keyAt: number, valueAt: number, valueEnd: number): void {
    if (valueEnd - valueAt > this.#maxValueBytes) {
      this.#fail(`a value of ${valueEnd - valueAt} bytes is above the limit`, valueAt);
    }
    this.#emitter.emit(bytes, type, keyAt, valueAt, valueEnd);
  }

  #operation(bytes: Buffer, at: number, end: number, opcode: number): number {
    switch (opcode) {
      case OPCODE.MODULE_AUX:
        return this.#skip(bytes, at, at + 1, end, opcode, MODULE_AUX_PROGRAM);
      case OPCODE.KEY_META: {
        const program = this.#flavor === 'VALKEY' ? SLOT_IMPORT_PROGRAM : KEY_META_PROGRAM;
        return this.#skip(bytes, at, at + 1, end, opcode, program);
      }
      case OPCODE.EOF:
        this.#endOfRecords();
        return at + 1;
      default: {
        const next = this.#operations.read(bytes, at, end);
        if (next === INCOMPLETE) return this.#incomplete(at, this.#operations.neededTo);
        if (next >= 0) return next;
        return this.#fail(
          `opcode ${opcode} is unknown in a ${this.#flavor} snapshot of version ${this.#version}`,
          at,
        );
      }
    }
  }

  #endOfRecords(): void {
    if (this.#version >= CHECKSUM_SINCE_VERSION) {
      this.#phase = 'CHECKSUM';
      return;
    }
    this.#phase = 'DONE';
    this.#handler.end?.('absent');
  }

  #readChecksum(chunk: Buffer, start: number): number {
    const next = this.#checksum.collect(chunk, start);
    const { verdict } = this.#checksum;
    if (verdict === 'incomplete') return next;
    if (verdict === 'wrong' && this.#verifies) {
      this.#base = this.#received;
      this.#fail('the checksum is wrong: bytes were changed on the way or on disk', next);
    }
    this.#phase = 'DONE';
    this.#handler.end?.(verdict === 'valid' ? verdict : 'absent');
    return next;
  }

  #incomplete(at: number, needTo: number): number {
    this.#need = needTo - at;
    this.#inValue = false;
    if (this.#need > this.#maxValueBytes) {
      this.#fail(`a record of at least ${this.#need} bytes is above the limit`, at);
    }
    return INCOMPLETE;
  }

  /** A fault inside a value, with its type and, while the key is still there, its key. */
  #failInValue(message: string, at: number): never {
    const what = this.#opcode < FIRST_OPCODE ? `value of type ${this.#opcode}` : `opcode ${this.#opcode}`;
    const hasKey = this.#opcode < FIRST_OPCODE && this.#partBytes < 0;
    const key = hasKey ? readString(this.#walked, this.#keyAt, this.#valueAt) : undefined;
    return this.#fail(`${what}${key === undefined ? '' : ` of key ${printKey(key)}`}: ${message}`, at);
  }

  #fail(message: string, at: number): never {
    throw corrupt(message, `snapshot byte ${this.#base + at}`);
  }
}
