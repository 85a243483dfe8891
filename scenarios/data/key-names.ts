/** Names of the seeded keys: readable ones, a share with `{}` tags, a share with any bytes. Unique by their number. */
import type { Random } from './random.ts';
import type { TextPool } from './text-pool.ts';

const TAGGED_SHARE = 0.03;
const BINARY_SHARE = 0.02;
const BINARY_BYTES = 6;

export class KeyNames {
  readonly #scratch: Buffer;
  readonly #prefixBytes: number;
  readonly #pool: TextPool;
  readonly #random: Random;

  constructor(prefix: string, pool: TextPool, random: Random) {
    this.#prefixBytes = Buffer.byteLength(prefix);
    this.#scratch = Buffer.allocUnsafe(this.#prefixBytes + 256);
    this.#scratch.write(prefix, 'utf8');
    this.#pool = pool;
    this.#random = random;
  }

  /**
   * `<prefix><noun>:<slug>:<index>`. The index stands last, after a colon and without one in it, so two names are never
   * equal. The buffer is valid until the next call.
   */
  make(noun: string, index: number): Buffer {
    const slug = this.#random.pick(this.#pool.slugs);
    const form = this.#random.fraction();
    let end = this.#prefixBytes;
    if (form < BINARY_SHARE) {
      end += this.#scratch.write(`${noun}:`, end, 'latin1');
      const from = this.#random.below(this.#pool.binary.length - BINARY_BYTES);
      end += this.#pool.binary.copy(this.#scratch, end, from, from + BINARY_BYTES);
      end += this.#scratch.write(`:${index.toString(36)}`, end, 'latin1');
    } else {
      const middle = form < BINARY_SHARE + TAGGED_SHARE ? `{${slug}}` : slug;
      end += this.#scratch.write(`${noun}:${middle}:${index.toString(36)}`, end, 'latin1');
    }
    return this.#scratch.subarray(0, end);
  }
}
