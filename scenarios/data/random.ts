/** The one source of chance: a small fast seeded generator, so that a printed seed repeats a run byte for byte. */

const TWO_32 = 4_294_967_296;

/**
 * sfc32 (Chris Doty-Humphrey, PractRand): 128 bits of state, passes BigCrush, a few nanoseconds per number. Not for
 * secrets.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** Equal arguments give equal sequences; any differing label gives an unrelated one. */
  constructor(seed: number, ...labels: (string | number)[]) {
    const state = hashLabels([seed, ...labels]);
    this.#a = state[0];
    this.#b = state[1];
    this.#c = state[2];
    for (let round = 0; round < 15; round++) this.next();
  }

  /** A 32-bit unsigned integer. */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** In [0, 1). */
  fraction(): number {
    return this.next() / TWO_32;
  }

  /** An integer in [0, limit). `limit` up to 2^32. */
  below(limit: number): number {
    return Math.floor((this.next() / TWO_32) * limit);
  }

  /** An integer in [from, to], both included. */
  between(from: number, to: number): number {
    return from + Math.floor(this.fraction() * (to - from + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability * TWO_32;
  }

  /** One element of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    const item = list[this.below(list.length)];
    if (item === undefined) throw new RangeError('pick from an empty list');
    return item;
  }

  /** Random bytes, into a new buffer. */
  bytes(length: number): Buffer {
    const out = Buffer.allocUnsafe(length);
    for (let at = 0; at < length; at++) out[at] = this.next() >>> 24;
    return out;
  }
}

/** Three 32-bit words out of the labels: FNV-1a with three offsets over their text, length-delimited. */
function hashLabels(labels: (string | number)[]): [number, number, number] {
  const text = labels.map((label) => `${String(label).length}:${label}`).join('|');
  const hash = (offset: number): number => {
    let state = offset;
    for (let at = 0; at < text.length; at++) state = Math.imul(state ^ text.charCodeAt(at), 0x01000193);
    return state ^ (state >>> 15);
  };
  return [hash(0x811c9dc5 | 0), hash(0x9e3779b9 | 0), hash(0x243f6a88 | 0)];
}
