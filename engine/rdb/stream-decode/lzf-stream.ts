/**
 * LZF decompression with bounded memory: the output leaves in blocks, only the 8 KiB that a copy can reach back stay.
 * The format is described in `lzf.ts`.
 */

/** A copy begins at most this far back. */
const WINDOW_BYTES = 8192;
const BLOCK_BYTES = 64 * 1024;
const LONGEST_COPY = 264;

/** No instruction has more bytes (a run of 32 literals and its control byte). */
export const LZF_INSTRUCTION_BYTES_MAX = 33;

export class LzfStream {
  readonly #emit: (block: Buffer) => void;
  readonly #buffer = Buffer.allocUnsafe(WINDOW_BYTES + BLOCK_BYTES);
  /** Next byte to write, and the first one not emitted yet. */
  #to = 0;
  #emitted = 0;
  #total = 0;

  /** `emit` gets blocks of at most 72 KiB, valid during the call. */
  constructor(emit: (block: Buffer) => void) {
    this.#emit = emit;
  }

  /** Bytes produced so far. */
  get total(): number {
    return this.#total;
  }

  /**
   * Decompresses whole instructions of `input`, as many as lie in it; returns how many bytes they were, or -1 when they are
   * malformed. Stops early after a block was emitted.
   */
  run(input: Uint8Array): number {
    const out = this.#buffer;
    let from = 0;
    while (from < input.length) {
      if (this.#to + LONGEST_COPY > out.length) {
        this.flush();
        return from;
      }
      const control = input[from]!;
      if (control < 32) {
        const stop = from + 2 + control;
        if (stop > input.length) return from;
        for (from++; from < stop;) out[this.#to++] = input[from++]!;
        this.#total += control + 1;
        continue;
      }
      const long = control >> 5 === 7;
      if (from + (long ? 3 : 2) > input.length) return from;
      const length = 2 + (long ? 7 + input[from + 1]! : control >> 5);
      const low = input[from + (long ? 2 : 1)]!;
      let source = this.#to - ((control & 31) << 8) - low - 1;
      if (source < 0) return -1;
      from += long ? 3 : 2;
      // Byte by byte: source and destination may overlap, that is how runs are written.
      for (const stop = this.#to + length; this.#to < stop;) out[this.#to++] = out[source++]!;
      this.#total += length;
    }
    return from;
  }

  /** Emits what was decompressed and keeps the window. */
  flush(): void {
    if (this.#to > this.#emitted) this.#emit(this.#buffer.subarray(this.#emitted, this.#to));
    const keep = Math.min(WINDOW_BYTES, this.#to);
    this.#buffer.copyWithin(0, this.#to - keep, this.#to);
    this.#to = keep;
    this.#emitted = keep;
  }
}
