/** Divides a number of keys among types by weight, exactly, and deals them out in a random order. */
import { DATA_TYPES, type DataType } from './dataset.ts';
import type { Random } from './random.ts';

/**
 * Keys per type by the largest-remainder method: the sum is `keys`, and a type with any weight gets at least one key as
 * long as there are enough keys.
 *
 * @throws RangeError when there are keys but no type has a weight above 0.
 */
export function shareKeys(keys: number, weights: Partial<Record<DataType, number>>): Map<DataType, number> {
  const wanted = DATA_TYPES.filter((type) => (weights[type] ?? 0) > 0);
  if (wanted.length === 0 && keys > 0)
    throw new RangeError('a dataset needs at least one type with a weight above 0');
  const total = wanted.reduce((sum, type) => sum + (weights[type] ?? 0), 0);
  const least = keys >= wanted.length ? 1 : 0;
  const rest = keys - least * wanted.length;
  const exact = new Map(wanted.map((type) => [type, ((weights[type] ?? 0) / total) * rest]));
  const shares = new Map([...exact].map(([type, share]) => [type, least + Math.floor(share)]));
  const byRemainder = [...exact].toSorted(([, a], [, b]) => (b % 1) - (a % 1)).map(([type]) => type);
  let missing = keys - [...shares.values()].reduce((sum, share) => sum + share, 0);
  for (const type of byRemainder) {
    if (missing-- <= 0) break;
    shares.set(type, (shares.get(type) ?? 0) + 1);
  }
  return shares;
}

/** Deals the shares out one key at a time, each remaining key equally likely. */
export class TypeDealer {
  readonly #types: DataType[];
  readonly #left: number[];
  readonly #random: Random;
  #total: number;

  constructor(shares: ReadonlyMap<DataType, number>, random: Random) {
    this.#types = [...shares.keys()];
    this.#left = [...shares.values()];
    this.#total = this.#left.reduce((sum, share) => sum + share, 0);
    this.#random = random;
  }

  /** The type of the next key. */
  next(): DataType {
    let ticket = this.#random.below(this.#total);
    const at = this.#left.findIndex((left) => (ticket -= left) < 0);
    const type = this.#types[at];
    if (type === undefined) throw new RangeError('every key has been dealt');
    this.#left[at] = (this.#left[at] ?? 0) - 1;
    this.#total--;
    return type;
  }
}
