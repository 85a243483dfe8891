/**
 * The keys seen on one side, as 120-bit hashes: a flat open-addressing table without an object per key.
 *
 * A slot is four 32-bit words; the lowest byte of the last word holds 1 + the number of the node the key was seen on, so
 * an empty slot is one whose last word is 0. Memory: 16 bytes / load factor (at most 0.8, 0.7 when the number of keys
 * was announced) = 20 to 23 bytes per key. Growing holds the old and the new table for a moment.
 *
 * Two keys share 120 bits with a probability of 4e-21 in a million keys, 4e-17 in a hundred million.
 */
import { absorb, begin, type Lanes } from './digest/murmur.ts';

const WORDS = 4;
const LOAD_MAX = 0.8;
const LOAD_PLANNED = 0.7;
const SLOTS_MIN = 1024;
/** Nodes of one side that can be told apart. */
export const NODES_MAX = 254;

/** Writes the hash of a key of a database into `lanes`. */
export function hashKey(lanes: Lanes, database: number, bytes: Uint8Array, start: number, end: number): void {
  // Spread: the length of a key is mixed in by XOR, so that "" in database 1 and "\0" in 0 would begin alike.
  begin(lanes, Math.imul(database + 1, 0x9e3779b1));
  absorb(lanes, bytes, start, end);
}

export type AddResult = 'added' | 'again' | 'other-node';

export class KeySet {
  size = 0;
  #slots: number;
  #table: Int32Array;
  readonly #lanes: Lanes = new Int32Array(4);

  /** @param expected number of keys; more can be added. */
  constructor(expected: number) {
    this.#slots = Math.max(SLOTS_MIN, Math.ceil(expected / LOAD_PLANNED));
    this.#table = new Int32Array(this.#slots * WORDS);
  }

  get bytes(): number {
    return this.#table.byteLength;
  }

  /** Adds a key; tells whether it was there already, and from the same node (SCAN repeats keys) or another one. */
  add(database: number, bytes: Uint8Array, start: number, end: number, node: number): AddResult {
    const lanes = this.#lanes;
    hashKey(lanes, database, bytes, start, end);
    const last = (lanes[3]! & ~0xff) | (node + 1);
    const at = this.#find(lanes[0]!, lanes[1]!, lanes[2]!, last);
    const found = this.#table[at + 3]!;
    if (found !== 0) return found === last ? 'again' : 'other-node';
    this.#write(at, lanes[0]!, lanes[1]!, lanes[2]!, last);
    if (++this.size > this.#slots * LOAD_MAX) this.#grow();
    return 'added';
  }

  has(database: number, bytes: Uint8Array, start: number, end: number): boolean {
    const lanes = this.#lanes;
    hashKey(lanes, database, bytes, start, end);
    return this.#table[this.#find(lanes[0]!, lanes[1]!, lanes[2]!, lanes[3]! & ~0xff) + 3] !== 0;
  }

  /** Index of the slot that holds the key, or of the empty one where it belongs. */
  #find(h1: number, h2: number, h3: number, last: number): number {
    const table = this.#table;
    const upper = last & ~0xff;
    let slot = Math.floor(((h1 >>> 0) / 4294967296) * this.#slots);
    for (;;) {
      const at = slot * WORDS;
      const held = table[at + 3]!;
      if (held === 0) return at;
      if (table[at] === h1 && table[at + 1] === h2 && table[at + 2] === h3 && (held & ~0xff) === upper)
        return at;
      if (++slot === this.#slots) slot = 0;
    }
  }

  #write(at: number, h1: number, h2: number, h3: number, last: number): void {
    const table = this.#table;
    table[at] = h1;
    table[at + 1] = h2;
    table[at + 2] = h3;
    table[at + 3] = last;
  }

  #grow(): void {
    const old = this.#table;
    this.#slots *= 2;
    this.#table = new Int32Array(this.#slots * WORDS);
    for (let at = 0; at < old.length; at += WORDS) {
      const last = old[at + 3]!;
      if (last === 0) continue;
      const [h1, h2, h3] = [old[at]!, old[at + 1]!, old[at + 2]!];
      this.#write(this.#find(h1, h2, h3, last), h1, h2, h3, last);
    }
  }
}
