/** A string while it arrives: plain bytes as they come, compressed ones through `LzfStream`, integers as text. */
import { STRING_ENCODING } from '../format.ts';
import { lzfSizePossible } from '../lzf.ts';
import { LZF_INSTRUCTION_BYTES_MAX, LzfStream } from './lzf-stream.ts';
import type { DecodeTools, Decoding } from './value-decoder.ts';

const PART_BYTES = 64 * 1024;
/** Compressed bytes looked at between two questions whether to pause; they become at most 88 times as many. */
const SLICE_BYTES = 4096;

export function* decodeStringParts(tools: DecodeTools): Decoding {
  const { input, sink } = tools;
  let encoding: number | undefined;
  for (;;) {
    input.mark();
    encoding = input.tryByte();
    if (encoding !== undefined) break;
    yield 'more';
  }
  if (encoding === STRING_ENCODING.LZF) return yield* decompress(tools);
  input.unread(1);
  if (encoding < STRING_ENCODING.INT8) return yield* copy(tools);
  for (;;) {
    input.mark();
    const text = input.tryString();
    if (text === undefined) {
      yield 'more';
      continue;
    }
    sink.stringStart(text.length);
    sink.stringPart(text);
    return undefined;
  }
}

function* copy({ input, sink, pause }: DecodeTools): Decoding {
  let left: number | undefined;
  for (;;) {
    input.mark();
    left = input.tryLength();
    if (left !== undefined) break;
    yield 'more';
  }
  sink.stringStart(left);
  while (left > 0) {
    const part = input.some(Math.min(left, PART_BYTES));
    if (part.length === 0) {
      input.mark();
      input.await(1);
      yield 'more';
      continue;
    }
    sink.stringPart(part);
    left -= part.length;
    if (pause()) yield 'paused';
  }
}

function* decompress({ input, sink, pause }: DecodeTools): Decoding {
  let sizes: [compressed: number, real: number] | undefined;
  for (;;) {
    input.mark();
    const compressed = input.tryLength();
    const real = compressed === undefined ? undefined : input.tryLength();
    if (compressed !== undefined && real !== undefined) {
      sizes = [compressed, real];
      break;
    }
    yield 'more';
  }
  let [left] = sizes;
  const [, real] = sizes;
  if (!lzfSizePossible(left, real)) input.fail('a string does not decompress');
  sink.stringStart(real);
  const lzf = new LzfStream((block) => sink.stringPart(block));
  while (left > 0) {
    const enough = Math.min(left, LZF_INSTRUCTION_BYTES_MAX);
    if (input.available < enough) {
      input.mark();
      input.await(enough);
      yield 'more';
      continue;
    }
    const slice = input.some(Math.min(left, SLICE_BYTES));
    const used = lzf.run(slice);
    if (used < 0 || lzf.total > real) input.fail('a string does not decompress');
    if (used === 0 && slice.length === left) input.fail('a string does not decompress');
    input.unread(slice.length - used);
    left -= used;
    if (pause()) yield 'paused';
  }
  lzf.flush();
  if (lzf.total !== real) input.fail('a string does not decompress');
}
