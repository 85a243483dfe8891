/**
 * The canonical form of a value as 128 bits, built element by element. Two values have the same digest when the server
 * itself would call them equal, whatever their encoding, insertion order or server version.
 *
 *   string, list, stream entries     chained: each element's hash starts from the one before
 *   set, hash, zset                  sum over the elements (each 32-bit lane mod 2^32) of a hash per element, then the
 *                                    count. Sums, not XOR: a pair of equal elements must not cancel
 *   score                            8 bytes of the double, -0 as 0
 *
 * Every part mixes its length in, so no two sequences of parts flow into the same bytes.
 */
import { absorb, begin, type Lanes } from './murmur.ts';

/** Where a chain starts, so that an empty list and an empty stream differ. */
export const SEED = {
  string: 0x73747231,
  list: 0x6c697374,
  set: 0x73657431,
  zset: 0x7a736574,
  hash: 0x68617368,
  stream: 0x73747265,
  streamGroup: 0x67726f75,
  streamConsumer: 0x636f6e73,
  streamPending: 0x70656e64,
  module: 0x6d6f6475,
} as const;

export class ElementHasher {
  /** The hash in the making, and the digest after `finishSum` or a chain. */
  readonly lanes: Lanes = new Int32Array(4);
  readonly #sum: Lanes = new Int32Array(4);
  #count = 0;
  readonly #words = new Int32Array(6);
  readonly #wordBytes = new Uint8Array(this.#words.buffer);
  readonly #double = new Float64Array(1);
  readonly #doubleBytes = new Uint8Array(this.#double.buffer);

  /** Starts a chain, or one element of a sum. */
  begin(seed: number): void {
    begin(this.lanes, seed);
  }

  bytes(bytes: Uint8Array, start: number, end: number): void {
    absorb(this.lanes, bytes, start, end);
  }

  text(text: string): void {
    const bytes = Buffer.from(text, 'latin1');
    absorb(this.lanes, bytes, 0, bytes.length);
  }

  /** A score, or any number: the 8 bytes of the double. -0 counts as 0. */
  number(value: number): void {
    this.#double[0] = value === 0 ? 0 : value;
    absorb(this.lanes, this.#doubleBytes, 0, 8);
  }

  beginSum(): void {
    this.#sum.fill(0);
    this.#count = 0;
  }

  /** Adds the current hash to the sum. */
  addToSum(): void {
    const sum = this.#sum;
    const lanes = this.lanes;
    sum[0] = sum[0]! + lanes[0]!;
    sum[1] = sum[1]! + lanes[1]!;
    sum[2] = sum[2]! + lanes[2]!;
    sum[3] = sum[3]! + lanes[3]!;
    this.#count++;
  }

  /** `lanes` becomes the hash of the sum and of how many elements it has, started from `seed`. */
  finishSum(seed: number): void {
    this.#words.set(this.#sum);
    this.#words[4] = this.#count;
    this.#words[5] = Math.floor(this.#count / 4294967296);
    begin(this.lanes, seed);
    absorb(this.lanes, this.#wordBytes, 0, 24);
  }

  /** Continues the chain in `chain` with the sum, instead of starting from a seed. */
  finishSumOnto(chain: Lanes): void {
    this.#words.set(this.#sum);
    this.#words[4] = this.#count;
    this.#words[5] = Math.floor(this.#count / 4294967296);
    this.lanes.set(chain);
    absorb(this.lanes, this.#wordBytes, 0, 24);
  }
}
