/** Lists, sets, sorted sets and hashes in their large encodings, element by element while they arrive. */
import { parseScoreText } from '../decode-zset.ts';
import type { PartInput } from './part-input.ts';
import type { DecodeTools, Decoding, Wait } from './value-decoder.ts';

/** Lengths of a text score that stand for themselves. */
const TEXT_SCORES: Readonly<Record<number, number>> = { 253: NaN, 254: Infinity, 255: -Infinity };
const NO_EXPIRY = -1;

/** The count in front. */
export function* readCount(input: PartInput): Generator<Wait, number, undefined> {
  for (;;) {
    input.mark();
    const count = input.tryLength();
    if (count !== undefined) return count;
    yield 'more';
  }
}

export function* decodeStrings({ input, sink, pause }: DecodeTools, type: 'list' | 'set'): Decoding {
  for (let left = yield* readCount(input); left > 0;) {
    input.mark();
    const element = input.tryString();
    if (element === undefined) {
      yield 'more';
      continue;
    }
    if (type === 'list') sink.listElement(element);
    else sink.setMember(element);
    left--;
    if (pause()) yield 'paused';
  }
}

export function* decodeScored({ input, sink, pause }: DecodeTools, scores: 'text' | 'double'): Decoding {
  for (let left = yield* readCount(input); left > 0;) {
    input.mark();
    const member = input.tryString();
    const score = member === undefined ? undefined : readScore(input, scores);
    if (member === undefined || score === undefined) {
      yield 'more';
      continue;
    }
    sink.scored(member, score);
    left--;
    if (pause()) yield 'paused';
  }
}

function readScore(input: PartInput, scores: 'text' | 'double'): number | undefined {
  if (scores === 'double') return input.tryDouble();
  const length = input.tryByte();
  if (length === undefined || length in TEXT_SCORES)
    return length === undefined ? undefined : TEXT_SCORES[length];
  const text = input.tryBytes(length)?.toString('latin1');
  return text === undefined ? undefined : (parseScoreText(text) ?? input.fail('a score is not a number'));
}

/** count × (field, value). */
export function* decodePairs({ input, sink, pause }: DecodeTools): Decoding {
  for (let left = yield* readCount(input); left > 0;) {
    input.mark();
    const field = input.tryString();
    const value = field === undefined ? undefined : input.tryString();
    if (field === undefined || value === undefined) {
      yield 'more';
      continue;
    }
    sink.field(field, value, NO_EXPIRY);
    left--;
    if (pause()) yield 'paused';
  }
}

/** HASH_METADATA (`relative`: to the smallest expiry, in front) and HASH_METADATA_PRE_GA (`absolute`). */
export function* decodeFieldTtls(
  { input, sink, pause }: DecodeTools,
  times: 'relative' | 'absolute',
): Decoding {
  let smallest: number | undefined = times === 'absolute' ? 1 : undefined;
  while (smallest === undefined) {
    input.mark();
    smallest = input.tryTimeMs();
    if (smallest === undefined) yield 'more';
  }
  for (let left = yield* readCount(input); left > 0;) {
    input.mark();
    const ttl = input.tryLength();
    const field = ttl === undefined ? undefined : input.tryString();
    const value = field === undefined ? undefined : input.tryString();
    if (ttl === undefined || field === undefined || value === undefined) {
      yield 'more';
      continue;
    }
    sink.field(field, value, ttl === 0 ? NO_EXPIRY : smallest + ttl - 1);
    left--;
    if (pause()) yield 'paused';
  }
}

/** Valkey's HASH_2: count × (field, value, expiry). */
export function* decodeValkeyFields({ input, sink, pause }: DecodeTools): Decoding {
  for (let left = yield* readCount(input); left > 0;) {
    input.mark();
    const field = input.tryString();
    const value = field === undefined ? undefined : input.tryString();
    const expireAtMs = value === undefined ? undefined : input.tryTimeMs();
    if (field === undefined || value === undefined || expireAtMs === undefined) {
      yield 'more';
      continue;
    }
    sink.field(field, value, expireAtMs);
    left--;
    if (pause()) yield 'paused';
  }
}
