/**
 * The records of a snapshot that are no keys and say their own length: attributes of the next key, the database, sizes,
 * AUX fields, function libraries.
 */
import type { RawEntry, SnapshotHandler } from './entry.ts';
import { OPCODE } from './format.ts';
import { INCOMPLETE, lengthEnd, MALFORMED, readLength, readString, stringEnd } from './length.ts';
import type { Fault } from './value-skipper.ts';

export class OperationReader {
  /** After INCOMPLETE: the offset up to which bytes are needed at least. */
  neededTo = 0;
  readonly #handler: SnapshotHandler;
  readonly #entry: RawEntry;
  readonly #fault: Fault;
  readonly #numbers = [0, 0, 0];

  /** Attributes and the database are written into `entry`. */
  constructor(handler: SnapshotHandler, entry: RawEntry, fault: Fault) {
    this.#handler = handler;
    this.#entry = entry;
    this.#fault = fault;
  }

  /** Reads the record whose opcode stands at `at`; the offset behind it, INCOMPLETE, or MALFORMED for an unknown opcode. */
  read(bytes: Buffer, at: number, end: number): number {
    const entry = this.#entry;
    const opcode = bytes[at]!;
    let next: number;
    switch (opcode) {
      case OPCODE.EXPIRETIME_MS:
        next = this.#fixed(at + 9, end);
        if (next > 0) entry.expireAtMs = bytes.readUInt32LE(at + 1) + bytes.readInt32LE(at + 5) * 4294967296;
        return next;
      case OPCODE.EXPIRETIME:
        next = this.#fixed(at + 5, end);
        if (next > 0) entry.expireAtMs = bytes.readInt32LE(at + 1) * 1000;
        return next;
      case OPCODE.FREQ:
        next = this.#fixed(at + 2, end);
        if (next > 0) entry.frequency = bytes[at + 1]!;
        return next;
      case OPCODE.IDLE:
        next = this.#lengths(bytes, at + 1, end, 1);
        if (next > 0) entry.idleSeconds = this.#numbers[0]!;
        return next;
      case OPCODE.SELECTDB:
        next = this.#lengths(bytes, at + 1, end, 1);
        if (next > 0) entry.database = this.#numbers[0]!;
        return next;
      case OPCODE.RESIZEDB:
        next = this.#lengths(bytes, at + 1, end, 2);
        if (next > 0) this.#handler.sizes?.(entry.database, this.#numbers[0]!, this.#numbers[1]!);
        return next;
      case OPCODE.SLOT_INFO:
        return this.#lengths(bytes, at + 1, end, 3);
      case OPCODE.AUX:
        return this.#aux(bytes, at + 1, end);
      case OPCODE.FUNCTION2:
        return this.#functionLibrary(bytes, at + 1, end);
      case OPCODE.FUNCTION_PRE_GA:
        return this.#fault(
          'a function of a 7.0 release candidate, which no released server reads either',
          at,
        );
      default:
        return MALFORMED;
    }
  }

  #fixed(next: number, end: number): number {
    if (next <= end) return next;
    this.neededTo = next;
    return INCOMPLETE;
  }

  /** Reads `count` plain lengths into `#numbers`. */
  #lengths(bytes: Buffer, at: number, end: number, count: 1 | 2 | 3): number {
    let next = at;
    for (let index = 0; index < count; index++) {
      const behind = lengthEnd(bytes, next, end);
      if (behind < 0) return this.#missing(bytes, next, behind);
      this.#numbers[index] = readLength(bytes, next);
      next = behind;
    }
    return next;
  }

  #aux(bytes: Buffer, nameAt: number, end: number): number {
    const valueAt = this.#string(bytes, nameAt, end);
    if (valueAt < 0) return valueAt;
    const next = this.#string(bytes, valueAt, end);
    if (next < 0) return next;
    const name = readString(bytes, nameAt, valueAt);
    const value = readString(bytes, valueAt, next);
    if (name === undefined || value === undefined)
      return this.#fault('an AUX field does not decompress', nameAt);
    this.#handler.aux?.(name.toString('latin1'), value);
    return next;
  }

  #functionLibrary(bytes: Buffer, at: number, end: number): number {
    const next = this.#string(bytes, at, end);
    if (next < 0) return next;
    const code = readString(bytes, at, next);
    if (code === undefined) return this.#fault('a function library does not decompress', at);
    this.#handler.functionLibrary?.(code);
    return next;
  }

  #string(bytes: Buffer, at: number, end: number): number {
    const next = stringEnd(bytes, at, end);
    if (next < 0) return this.#missing(bytes, at, next);
    return this.#fixed(next, end);
  }

  #missing(bytes: Buffer, at: number, found: number): number {
    if (found === MALFORMED)
      this.#fault(`0x${bytes[at]!.toString(16)} does not start a length or string`, at);
    this.neededTo = at + 1;
    return INCOMPLETE;
  }
}
