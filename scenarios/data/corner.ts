/** What a corner key is made of. */

export type Word = string | number | Buffer;

export interface Corner {
  /** Follows the dataset's prefix. */
  key: string | Buffer;
  /** The commands that create it; `key` is the whole name. String words are ASCII. */
  commands: (key: Buffer) => Word[][];
}

export const EVERY_BYTE = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
export const INVALID_UTF8 = Buffer.from([0x80, 0xc3, 0x28, 0xff, 0xfe, 0xed, 0xa0, 0x80]);

/** The integers from `from` to `to`, both included. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** `length` bytes of text that LZF cannot shrink to nothing. */
export function text(length: number): string {
  let out = '';
  for (let word = 0; out.length < length; word++)
    out += `${((word * 2_654_435_761) % 4_294_967_296).toString(36)} `;
  return out.slice(0, length);
}
