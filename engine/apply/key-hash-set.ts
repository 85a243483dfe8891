/**
 * Keys as 64-bit hashes, in a flat open-addressing table: 8 bytes per slot, at most 2/3 of the slots used. Among a hundred
 * million keys one that is not in the set is taken for one that is with a probability of 5e-12.
 */
import { absorb, begin } from '../compare/digest/murmur.ts';

/** Bytes of table per key, at most. */
export const BYTES_PER_KEY = 12;

/** The two halves of a hash; (0, 0) does not occur. */
export type KeyHash = Int32Array;

const lanes = new Int32Array(4);

/** Writes the hash of a key of a database into `hash`. */
export function hashKey(hash: KeyHash, database: number, key: Uint8Array): void {
  // Spread: the length of a key is mixed in by XOR, so that "" in database 1 and "\\0" in 0 would begin alike.
  begin(lanes, Math.imul(database + 1, 0x9e3779b1));
  absorb(lanes, key, 0, key.length);
  hash[0] = lanes[0]!;
  hash[1] = lanes[1] === 0 && lanes[0] === 0 ? 1 : lanes[1]!;
}

export class KeyHashSet {
  readonly #slots: number;
  readonly #table: Int32Array;

  /** @param most so many hashes may be added. */
  constructor(most: number) {
    this.#slots = Math.max(16, Math.ceil((most * BYTES_PER_KEY) / 8));
    this.#table = new Int32Array(2 * this.#slots);
  }

  add(high: number, low: number): void {
    const at = this.#find(high, low);
    this.#table[at] = high;
    this.#table[at + 1] = low;
  }

  has(high: number, low: number): boolean {
    const at = this.#find(high, low);
    return this.#table[at] !== 0 || this.#table[at + 1] !== 0;
  }

  /** Index of the hash, or of the empty slot where it belongs. */
  #find(high: number, low: number): number {
    const table = this.#table;
    let slot = Math.floor(((low >>> 0) / 4294967296) * this.#slots);
    for (;;) {
      const at = 2 * slot;
      if ((table[at] === 0 && table[at + 1] === 0) || (table[at] === high && table[at + 1] === low))
        return at;
      if (++slot === this.#slots) slot = 0;
    }
  }
}
