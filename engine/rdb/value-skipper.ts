/**
 * Finds the end of a value without decoding it, over any number of pieces: every byte is looked at once, whatever the
 * size of the value and wherever it was cut.
 *
 * State: the place in the skip program, the counters of its open loops, and `#owed`, bytes to pass over that have not
 * arrived yet. The invariant between calls: everything before the returned offset is accounted for, so a later call may
 * start there (in another buffer that begins with the bytes that were not accounted for).
 */
import { MODULE_OPCODE } from './format.ts';
import { INCOMPLETE, lengthEnd, MALFORMED, readLength, stringEnd } from './length.ts';
import { SINGLE_STRING, SKIP, type SkipProgram } from './skip-programs.ts';

/** Reports that the bytes at `at` of the current buffer are not a value. */
export type Fault = (message: string, at: number) => never;

export class ValueSkipper {
  readonly #fault: Fault;
  readonly #countMax: number;
  #program: SkipProgram = SINGLE_STRING;
  #pc = 0;
  #owed = 0;
  #stringsLeft = 0;
  #depth = -1;
  readonly #loopLeft = [0, 0, 0, 0];
  readonly #loopStart = [0, 0, 0, 0];
  /** The last `run` reached the end of the value. */
  complete = false;

  /** `countMax`: a count above it is a lie (an element has at least one byte). */
  constructor(fault: Fault, countMax: number) {
    this.#fault = fault;
    this.#countMax = countMax;
  }

  begin(program: SkipProgram): void {
    this.#program = program;
    this.#pc = 0;
    this.#owed = 0;
    this.#stringsLeft = 0;
    this.#depth = -1;
    this.complete = false;
  }

  /** Bytes that are known to be missing. */
  get owed(): number {
    return this.#owed;
  }

  /** Goes on at `bytes[at]`; returns the offset up to which bytes are accounted for, and sets `complete`. */
  run(bytes: Uint8Array, at: number, end: number): number {
    let position = at;
    for (;;) {
      if (this.#owed > 0) {
        const passed = Math.min(this.#owed, end - position);
        this.#owed -= passed;
        position += passed;
        if (this.#owed > 0) return position;
      }
      const next = this.#step(bytes, position, end);
      if (next === INCOMPLETE) return position;
      if (next === MALFORMED)
        this.#fault(`0x${bytes[position]!.toString(16)} does not start a length or string`, position);
      if (next > end) {
        this.#owed = next - end;
        position = end;
        continue;
      }
      position = next;
      if (this.complete) return position;
    }
  }

  /** One instruction: the offset behind it (beyond `end` when bytes are owed) or INCOMPLETE or MALFORMED. */
  #step(bytes: Uint8Array, at: number, end: number): number {
    const program = this.#program;
    const instruction = program[this.#pc] ?? SKIP.END;
    switch (instruction) {
      case SKIP.END:
        this.complete = true;
        return at;
      case SKIP.STRING:
        return this.#advance(1, stringEnd(bytes, at, end));
      case SKIP.LENGTH:
        return this.#advance(1, lengthEnd(bytes, at, end));
      case SKIP.BYTES:
        return this.#advance(2, at + program[this.#pc + 1]!);
      case SKIP.TEXT_DOUBLE:
        if (at >= end) return INCOMPLETE;
        return this.#advance(1, at + 1 + (bytes[at]! < 253 ? bytes[at]! : 0));
      case SKIP.STRINGS: {
        const next = lengthEnd(bytes, at, end);
        if (next < 0) return next;
        this.#stringsLeft = this.#count(bytes, at) * program[this.#pc + 1]!;
        return this.#advance(2, next);
      }
      case SKIP.STRINGS_REST:
        return this.#strings(bytes, at, end);
      case SKIP.BLOCKS: {
        const next = lengthEnd(bytes, at, end);
        return next < 0 ? next : this.#advance(2, next + this.#count(bytes, at) * program[this.#pc + 1]!);
      }
      case SKIP.LOOP:
        return this.#loop(bytes, at, end);
      case SKIP.NEXT:
        if (--this.#loopLeft[this.#depth]! > 0) this.#pc = this.#loopStart[this.#depth]!;
        else {
          this.#depth--;
          this.#pc++;
        }
        return at;
      default:
        return this.#moduleOpcode(bytes, at, end);
    }
  }

  #advance(cells: number, next: number): number {
    if (next >= 0) this.#pc += cells;
    return next;
  }

  #count(bytes: Uint8Array, at: number): number {
    const count = readLength(bytes, at);
    if (count > this.#countMax) this.#fault(`a count of ${count} elements`, at);
    return count;
  }

  #strings(bytes: Uint8Array, at: number, end: number): number {
    let left = this.#stringsLeft;
    let position = at;
    while (left > 0) {
      const next = stringEnd(bytes, position, end);
      if (next < 0) {
        this.#stringsLeft = left;
        if (next === MALFORMED)
          this.#fault(`0x${bytes[position]!.toString(16)} does not start a string`, position);
        // What was passed is accounted for; a cut at the very first string is a plain INCOMPLETE.
        return position === at ? INCOMPLETE : position;
      }
      left--;
      position = next;
      if (next > end) break;
    }
    this.#stringsLeft = left;
    if (left === 0) this.#pc++;
    return position;
  }

  #loop(bytes: Uint8Array, at: number, end: number): number {
    const next = lengthEnd(bytes, at, end);
    if (next < 0) return next;
    const count = this.#count(bytes, at);
    if (count === 0) {
      this.#pc = this.#program[this.#pc + 1]!;
      return next;
    }
    this.#depth++;
    this.#pc += 2;
    this.#loopLeft[this.#depth] = count;
    this.#loopStart[this.#depth] = this.#pc;
    return next;
  }

  #moduleOpcode(bytes: Uint8Array, at: number, end: number): number {
    const next = lengthEnd(bytes, at, end);
    if (next < 0) return next;
    const opcode = readLength(bytes, at);
    switch (opcode) {
      case MODULE_OPCODE.EOF:
        this.#pc++;
        return next;
      case MODULE_OPCODE.SINT:
      case MODULE_OPCODE.UINT:
        return lengthEnd(bytes, next, end);
      case MODULE_OPCODE.FLOAT:
        return next + 4;
      case MODULE_OPCODE.DOUBLE:
        return next + 8;
      case MODULE_OPCODE.STRING:
        return stringEnd(bytes, next, end);
      default:
        return this.#fault(`module opcode ${opcode} is unknown`, at);
    }
  }
}
