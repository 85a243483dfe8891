/** What a Codis group gets from another one, in commands that every server knows. */
import { describe, expect, it } from 'vitest';
import { CommandTranslator } from '../../../../engine/apply/translate/command-translator.ts';
import { Losses } from '../../../../engine/apply/rebuild/losses.ts';
import { dumpPayloadLength, writeDumpPayload } from '../../../../engine/rdb/dump-payload.ts';
import { CommandFramer } from '../../../../engine/resp/command-framer.ts';
import { encodeCommand, type Argument } from '../../../../engine/resp/encode.ts';
import { factsOf, NOW_MS } from './translating.ts';

/** A string in the layout of RDB version 7. */
function payloadOf(text: string): Buffer {
  const value = Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
  const payload = Buffer.alloc(dumpPayloadLength(value.length));
  writeDumpPayload(0, value, 7, payload, 0);
  return payload;
}

function bits(score: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(score);
  return bytes;
}

/** The commands sent instead, as words; payloads as `payload`. Undefined when it is forwarded. */
function translated(command: readonly Argument[], server = 'redis 7.0'): string[] | undefined {
  const losses = new Losses({ onFinding: () => undefined, onCount: () => undefined });
  const translator = new CommandTranslator({
    facts: factsOf(server),
    losses,
    sourceTimeMs: () => NOW_MS,
  });
  const lines: string[] = [];
  const reader = new CommandFramer(({ buffer, argc, argStart, argEnd }) => {
    const words = Array.from({ length: argc }, (_, at) => buffer.subarray(argStart[at], argEnd[at]));
    const isRestore = words[0]?.toString() === 'RESTORE';
    lines.push(words.map((word, at) => (isRestore && at === 3 ? 'payload' : word.toString())).join(' '));
  });
  let isForwarded = false;
  let count = 0;
  new CommandFramer((frame) => {
    const isAsync = /-ASYNC$/i.test(String(command[0]));
    const result = translator.translateSlots(frame, isAsync ? 'slotsrestore-async' : 'slotsrestore');
    isForwarded = result.kind !== 'encoded';
    if (result.kind !== 'encoded') return;
    reader.push(result.bytes);
    count = result.count;
  }).push(encodeCommand(command));
  expect(lines).toHaveLength(count);
  return isForwarded ? undefined : lines;
}

describe('SLOTSRESTORE', () => {
  it('becomes one RESTORE per key, with times instead of durations', () => {
    const payload = payloadOf('v');
    expect(translated(['SLOTSRESTORE', 'a', 0, payload, 'b', 100, payload])).toEqual([
      'RESTORE a 0 payload REPLACE',
      `RESTORE b ${NOW_MS + 100} payload REPLACE ABSTTL`,
    ]);
  });

  it('becomes what a target before ABSTTL takes', () => {
    expect(translated(['slotsrestore', 'a', 100, payloadOf('v')], 'redis 4.0')).toEqual([
      'RESTORE a 0 payload REPLACE',
      `PEXPIREAT a ${NOW_MS + 100}`,
    ]);
  });

  it('is left to the target when words are missing', () => {
    expect(translated(['SLOTSRESTORE', 'a', 0])).toBeUndefined();
  });
});

describe('SLOTSRESTORE-ASYNC', () => {
  const CASES: readonly (readonly [command: readonly Argument[], expected: readonly string[]])[] = [
    [['delete', 'k'], ['DEL k']],
    [['expire', 'k', 0], ['PERSIST k']],
    [['expire', 'k', 5], [`PEXPIREAT k ${NOW_MS + 5}`]],
    [
      ['string', 'k', 0, 'v'],
      ['SET k v', 'PERSIST k'],
    ],
    [
      ['STRING', 'k', 7, 'v'],
      ['SET k v', `PEXPIREAT k ${NOW_MS + 7}`],
    ],
    [['object', 'k', 9, payloadOf('v')], [`RESTORE k ${NOW_MS + 9} payload REPLACE ABSTTL`]],
    [
      ['list', 'k', 30, 4, 'a', 'b'],
      ['RPUSH k a b', `PEXPIREAT k ${NOW_MS + 30}`],
    ],
    [
      ['hash', 'k', 30, 4, 'f', 'v'],
      ['HMSET k f v', `PEXPIREAT k ${NOW_MS + 30}`],
    ],
    [
      ['dict', 'k', 30, 4, 'm', 'n'],
      ['SADD k m n', `PEXPIREAT k ${NOW_MS + 30}`],
    ],
    [['dict', 'k', 30, 4], [`PEXPIREAT k ${NOW_MS + 30}`]],
    [
      ['zset', 'k', 0, 5, 'm', bits(0.1), 'n', bits(-Infinity), 'o', bits(1e300)],
      ['ZADD k 0.1 m -inf n 1e+300 o', 'PERSIST k'],
    ],
  ];
  for (const [words, expected] of CASES)
    it(`${String(words[0])} becomes ${expected.join(', ')}`, () => {
      expect(translated(['SLOTSRESTORE-ASYNC', ...words])).toEqual(expected);
    });

  it('is left to the target when it is something else', () => {
    expect(translated(['SLOTSRESTORE-ASYNC', 'whatever', 'k', 0])).toBeUndefined();
  });
});
