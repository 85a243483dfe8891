/**
 * LZF decompression, as strings longer than 20 bytes are stored when `rdbcompression yes`.
 *
 *   000LLLLL                      L+1 literal bytes follow
 *   LLLooooo oooooooo             copy L+2 bytes (L = 1…6) from `o + 1` bytes back
 *   111ooooo LLLLLLLL oooooooo    copy L+9 bytes
 *
 * Source: liblzf (lzf_d.c).
 */

/** No three input bytes produce more than this many output bytes. */
const LONGEST_COPY = 264;

/** Whether `compressed` bytes can possibly become `uncompressed` bytes; checked before anything is allocated. */
export function lzfSizePossible(compressed: number, uncompressed: number): boolean {
  return uncompressed > 0 && uncompressed <= Math.ceil(compressed / 3) * LONGEST_COPY;
}

/** Decompresses `input[start, end)` into all of `output`; false when the input is not exactly that long or malformed. */
export function lzfDecompress(input: Uint8Array, start: number, end: number, output: Uint8Array): boolean {
  let from = start;
  let to = 0;
  while (from < end) {
    const control = input[from++]!;
    if (control < 32) {
      const length = control + 1;
      if (from + length > end || to + length > output.length) return false;
      for (const stop = from + length; from < stop;) output[to++] = input[from++]!;
      continue;
    }
    let length = control >> 5;
    if (length === 7) {
      if (from >= end) return false;
      length += input[from++]!;
    }
    length += 2;
    if (from >= end) return false;
    let source = to - ((control & 31) << 8) - input[from++]! - 1;
    if (source < 0 || to + length > output.length) return false;
    // Byte by byte: source and destination may overlap, that is how runs are written.
    for (const stop = to + length; to < stop;) output[to++] = output[source++]!;
  }
  return to === output.length;
}
