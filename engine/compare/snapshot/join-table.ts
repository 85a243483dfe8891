/**
 * Joins the keys of two sides by their hash while both are still being read: whoever comes second is compared with whom
 * came first, and equal pairs leave the table. What is left at the end is different, or with one side only.
 *
 * A flat open-addressing table without an object per key:
 *
 *   word 0…3   hash of database and key        word 8, 9   expiry: low 32 bits of the ms, and the rest (-1: none)
 *   word 4…7   digest of the value             word 10     flags, 0 = empty slot:
 *                                                          database << 16 │ node << 8 │ type << 3 │ state, 3 bits
 *
 * The table is far larger than the processor's caches, and reaching into it at random costs more than everything else.
 * So records are first collected by the upper bits of their hash, and worked off a part of the table at a time.
 *
 * Memory: two streams in independent order have at most half of their keys waiting for the other side, so the table is
 * planned for 55 % of the keys of the larger side: 44 bytes × 0.55 / 0.7 = 35 bytes per key. It grows when that is too
 * little (one side much faster, or much that differs), old and new table together for a moment. 11.5 MB for collecting.
 */
import type { Lanes } from '../digest/murmur.ts';
import { rdbTypeName } from '../rdb-types.ts';

const WORDS = 11;
const LOAD_MAX = 0.8;
const LOAD_PLANNED = 0.7;
const WAITING_PLANNED = 0.55;
const SLOTS_MIN = 4096;
const TWO_32 = 4294967296;
/** Parts are numbered by the upper 8 bits of the hash. */
const PART_SHIFT = 24;
const PARTS = 1 << (32 - PART_SHIFT);
const RECORDS_PER_PART = 1024;

export type Side = 'source' | 'target';

/** What is known of a slot's key: who has it, or how the pair compared. */
const STATE = { none: 0, source: 1, target: 2, taken: 3, type: 4, value: 5, expiry: 6, unread: 7 } as const;
const STATE_NAMES = ['none', 'source', 'target', 'taken', 'type', 'value', 'expiry', 'unread'] as const;

/**
 * `source`, `target`: only there. `unread`: on both, to be read in pages. `none`: never seen, or equal on both.
 */
export type KeyOutcome = Exclude<(typeof STATE_NAMES)[number], 'taken'>;

/** What a side says about one key. */
export interface KeyRecord {
  /** Hash of database and key. */
  hash: Lanes;
  /** Digest of the value. */
  digest: Lanes;
  /** The value was not digested: it is to be read in pages. */
  unread: boolean;
  /** -1 = none. */
  expireAtMs: number;
  database: number;
  /** RDB type byte, at most 31. */
  type: number;
  node: number;
}

export interface JoinHandler {
  /** Both sides have the key, and nothing differs. */
  equal(database: number, type: number): void;
  /** Another node of the same side has the key too. */
  repeated(side: Side): void;
}

/** Type number of a record whose value was not digested. */
const UNREAD_TYPE = 31;

export class JoinTable {
  /** How many keys are in the table as what; `source` and `target` go down when the other side comes. */
  readonly outcomes: Record<Exclude<KeyOutcome, 'none'>, number> = {
    source: 0,
    target: 0,
    type: 0,
    value: 0,
    expiry: 0,
    unread: 0,
  };
  readonly #handler: JoinHandler;
  readonly #toleranceMs: number;
  #size = 0;
  #slots: number;
  #table: Int32Array;
  readonly #collected = new Int32Array(PARTS * RECORDS_PER_PART * WORDS);
  readonly #counts = new Int32Array(PARTS);

  constructor(expected: number, toleranceMs: number, handler: JoinHandler) {
    this.#handler = handler;
    this.#toleranceMs = toleranceMs;
    this.#slots = Math.max(SLOTS_MIN, Math.ceil((expected * WAITING_PLANNED) / LOAD_PLANNED));
    this.#table = new Int32Array(this.#slots * WORDS);
  }

  get bytes(): number {
    return this.#table.byteLength + this.#collected.byteLength;
  }

  /** Takes a record; it is compared now or later, at the latest in `finish`. */
  offer(side: Side, record: KeyRecord): void {
    const { hash, digest, expireAtMs } = record;
    const part = hash[0]! >>> PART_SHIFT;
    const count = this.#counts[part]!;
    const to = this.#collected;
    const at = (part * RECORDS_PER_PART + count) * WORDS;
    to[at] = hash[0]!;
    to[at + 1] = hash[1]!;
    to[at + 2] = hash[2]!;
    to[at + 3] = hash[3]!;
    to[at + 4] = digest[0]!;
    to[at + 5] = digest[1]!;
    to[at + 6] = digest[2]!;
    to[at + 7] = digest[3]!;
    to[at + 8] = expireAtMs;
    to[at + 9] = expireAtMs < 0 ? -1 : Math.floor(expireAtMs / TWO_32);
    const type = record.unread ? UNREAD_TYPE : record.type;
    to[at + 10] = (record.database << 16) | (record.node << 8) | (type << 3) | STATE[side];
    this.#counts[part] = count + 1;
    if (count + 1 === RECORDS_PER_PART) this.#workOff(part);
  }

  /** Compares what is still collected. */
  finish(): void {
    for (let part = 0; part < PARTS; part++) this.#workOff(part);
  }

  /** What became of the key with this hash; `none` when it was asked before. Only after `finish`. */
  takeOutcome(hash: Lanes): KeyOutcome {
    const at = this.#find(this.#table, hash, 0) + 10;
    const meta = this.#table[at]!;
    if (meta !== 0) this.#table[at] = (meta & ~7) | STATE.taken;
    const outcome = STATE_NAMES[meta & 7] ?? 'none';
    return outcome === 'taken' ? 'none' : outcome;
  }

  #workOff(part: number): void {
    const from = part * RECORDS_PER_PART * WORDS;
    const end = from + this.#counts[part]! * WORDS;
    this.#counts[part] = 0;
    for (let record = from; record < end; record += WORDS) this.#join(record);
  }

  /** Brings the collected record at `record` into the table. */
  #join(record: number): void {
    const collected = this.#collected;
    const table = this.#table;
    const at = this.#find(table, collected, record);
    const held = table[at + 10]!;
    const meta = collected[record + 10]!;
    if (held === 0) {
      for (let word = 0; word < WORDS; word++) table[at + word] = collected[record + word]!;
      this.outcomes[sideOf(meta)]++;
      if (++this.#size > this.#slots * LOAD_MAX) this.#grow();
      return;
    }
    const state = held & 7;
    if (state === (meta & 7) || state > STATE.target) {
      this.#handler.repeated(sideOf(meta));
      return;
    }
    const outcome = this.#compare(at, record);
    this.outcomes[sideOf(held)]--;
    if (outcome === 'equal') {
      this.#handler.equal(meta >>> 16, typeOf(meta));
      this.#remove(at / WORDS);
    } else {
      this.outcomes[outcome]++;
      table[at + 10] = (held & ~7) | STATE[outcome];
    }
  }

  #compare(at: number, record: number): 'equal' | 'type' | 'value' | 'expiry' | 'unread' {
    const table = this.#table;
    const other = this.#collected;
    const left = typeOf(table[at + 10]!);
    const right = typeOf(other[record + 10]!);
    if (left === UNREAD_TYPE || right === UNREAD_TYPE) return 'unread';
    for (let word = 4; word < 8; word++) {
      if (table[at + word] === other[record + word]) continue;
      return rdbTypeName(left) === rdbTypeName(right) ? 'value' : 'type';
    }
    const a = expiryAt(table, at);
    const b = expiryAt(other, record);
    if (a < 0 || b < 0) return a === b ? 'equal' : 'expiry';
    return Math.abs(a - b) <= this.#toleranceMs ? 'equal' : 'expiry';
  }

  /** Index of the slot of the key whose hash is `from[at…at+3]`, or of the empty one where it belongs. */
  #find(table: Int32Array, from: Int32Array, at: number): number {
    const h1 = from[at]!;
    const h2 = from[at + 1]!;
    const h3 = from[at + 2]!;
    const h4 = from[at + 3]!;
    const slots = this.#slots;
    let slot = homeSlot(h1, slots);
    for (;;) {
      const index = slot * WORDS;
      if (table[index + 10] === 0) return index;
      const same =
        table[index] === h1 && table[index + 1] === h2 && table[index + 2] === h3 && table[index + 3] === h4;
      if (same) return index;
      if (++slot === slots) slot = 0;
    }
  }

  /** Empties a slot and closes the gap, so that every key is still found from its home slot without passing an empty one. */
  #remove(slot: number): void {
    const table = this.#table;
    const slots = this.#slots;
    let hole = slot;
    for (let next = slot + 1; ; next++) {
      if (next === slots) next = 0;
      const from = next * WORDS;
      if (table[from + 10] === 0) break;
      const home = homeSlot(table[from]!, slots);
      const movable = hole <= next ? home <= hole || home > next : home <= hole && home > next;
      if (!movable) continue;
      for (let word = 0; word < WORDS; word++) table[hole * WORDS + word] = table[from + word]!;
      hole = next;
    }
    table[hole * WORDS + 10] = 0;
    this.#size--;
  }

  #grow(): void {
    const old = this.#table;
    this.#slots *= 2;
    this.#table = new Int32Array(this.#slots * WORDS);
    for (let from = 0; from < old.length; from += WORDS) {
      if (old[from + 10] === 0) continue;
      const to = this.#find(this.#table, old, from);
      for (let word = 0; word < WORDS; word++) this.#table[to + word] = old[from + word]!;
    }
  }
}

/** Where a key with this first word of its hash belongs. Fewer than 2^31 slots. */
function homeSlot(h1: number, slots: number): number {
  return ~~((h1 >>> 0) * (slots / TWO_32));
}

function sideOf(meta: number): Side {
  return (meta & 7) === STATE.source ? 'source' : 'target';
}

function typeOf(meta: number): number {
  return (meta >> 3) & 31;
}

function expiryAt(words: Int32Array, at: number): number {
  const high = words[at + 9]!;
  return high < 0 ? -1 : high * TWO_32 + (words[at + 8]! >>> 0);
}
