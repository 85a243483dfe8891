/**
 * Damaged command streams: a typed error or the right commands, the same whatever the chunks, nothing of a half unit, and no
 * more memory than was sent.
 */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CommandFramer } from '../../../engine/resp/command-framer.ts';
import { SyncError } from '../../../engine/errors.ts';
import { encodeCommands } from '../../../engine/resp/encode.ts';
import { cut, runStream, STREAMS, type Outcome } from './stream-bench.ts';

const SEED = 20_240_611;
const RUNS = { seed: SEED, numRuns: 300 };

const anyStream = fc.constantFrom(...STREAMS.values());
const anySizes = fc.array(fc.integer({ min: 1, max: 97 }), { minLength: 1, maxLength: 5 });

/** One way in which bytes go wrong on their way, at places given as shares of the length. */
type Damage = (bytes: Buffer) => Buffer;

const place = fc.double({ min: 0, max: 1, noNaN: true });
const at = (bytes: Buffer, share: number): number => Math.floor(share * bytes.length);

const damages: fc.Arbitrary<Damage> = fc.oneof(
  fc.tuple(place, fc.nat(255)).map(([share, value]): Damage => (bytes) => {
    const copy = Buffer.from(bytes);
    copy[at(bytes, share)] = value;
    return copy;
  }),
  fc.tuple(place, fc.nat(7)).map(([share, bit]): Damage => (bytes) => {
    const copy = Buffer.from(bytes);
    const index = at(bytes, share);
    copy[index] = (copy[index] ?? 0) ^ (1 << bit);
    return copy;
  }),
  fc.tuple(place, fc.nat(200)).map(([share, length]): Damage => (bytes) => {
    const from = at(bytes, share);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + length)]);
  }),
  fc.tuple(place, place, fc.nat(100)).map(([from, to, length]): Damage => (bytes) => {
    const piece = bytes.subarray(at(bytes, from), at(bytes, from) + length);
    return Buffer.concat([bytes.subarray(0, at(bytes, to)), piece, bytes.subarray(at(bytes, to))]);
  }),
  fc.tuple(place, fc.uint8Array({ maxLength: 40 })).map(
    ([share, noise]): Damage =>
      (bytes) =>
        Buffer.concat([bytes.subarray(0, at(bytes, share)), noise, bytes.subarray(at(bytes, share))]),
  ),
  // Lengths that lie: one of the numbers behind * or $ is another one.
  fc
    .tuple(
      fc.nat(400),
      fc.constantFrom('0', '-1', '00', '1', '3', '999', '4294967295', '99999999999999999999', 'x', ''),
    )
    .map(([which, number]): Damage => (bytes) => {
      let seen = 0;
      const text = bytes
        .toString('latin1')
        .replace(/([*$])\d+(?=\r\n)/g, (whole, mark: string) =>
          seen++ === which ? `${mark}${number}` : whole,
        );
      return Buffer.from(text, 'latin1');
    }),
);

/** A few at once: one that hides another. */
const anyDamage = fc.array(damages, { minLength: 1, maxLength: 3 });

function damaged(bytes: Buffer, how: readonly Damage[]): Buffer {
  let result = bytes;
  for (const damage of how) result = damage(result);
  return result;
}

function expectSound(outcome: Outcome, sent: number): void {
  expect(['ok', 'PROTOCOL', 'POLICY']).toContain(outcome.end);
  // No more than was sent, and the frames of the envelopes.
  expect(outcome.bytes).toBeLessThan(4 * sent + 4096);
  expect(outcome.offset).toBeLessThanOrEqual(BigInt(sent));
  for (const words of outcome.commands) expect(words[0]).toMatch(/^db\d+$/);
}

/**
 * The same end, and the same commands. What ends in an error may have put out a few units less: a chunk is looked at as a
 * whole before anything of it is sent.
 */
function expectSame(one: Outcome, other: Outcome): void {
  expect(one.end).toBe(other.end);
  const common = one.end === 'ok' ? Infinity : Math.min(one.commands.length, other.commands.length);
  expect(one.commands.slice(0, common)).toEqual(other.commands.slice(0, common));
  const [offset, wanted] = one.end === 'ok' ? [one.offset, other.offset] : [0n, 0n];
  expect(offset).toBe(wanted);
}

describe('streams as they were captured', () => {
  test.each([...STREAMS])('%s goes through, whole and byte by byte', (_name, bytes) => {
    const whole = runStream([bytes]);
    expect(whole).toMatchObject({ end: 'ok', offset: BigInt(bytes.length) });
    expect(whole.commands.length).toBeGreaterThan(25);
    expect(runStream(cut(bytes, [1]))).toEqual(whole);
    const translated = runStream([bytes], { translating: true });
    expect(translated.end).toBe('ok');
    expect(runStream(cut(bytes, [1]), { translating: true })).toEqual(translated);
  });

  test.each([...STREAMS])('%s cut off at every byte: complete units only, and it goes on', (_name, bytes) => {
    const whole = runStream([bytes]);
    let before = 0;
    for (let length = 0; length <= bytes.length; length++) {
      const [first, rest] = [Buffer.from(bytes.subarray(0, length)), Buffer.from(bytes.subarray(length))];
      const half = runStream([first]);
      expect(half.end).toBe('ok');
      expect(half.commands).toEqual(whole.commands.slice(0, half.commands.length));
      expect(half.commands.length).toBeGreaterThanOrEqual(before);
      expect(half.offset).toBeLessThanOrEqual(BigInt(length));
      before = half.commands.length;
      expectSame(runStream([first, rest]), whole);
    }
    expect(before).toBe(whole.commands.length);
  });
});

describe('damaged streams', () => {
  test.each([false, true])('end in a typed error or are sound (translating: %s)', (translating) => {
    expect.hasAssertions();
    fc.assert(
      fc.property(anyStream, anyDamage, (stream, how) => {
        const bytes = damaged(stream, how);
        expectSound(runStream([bytes], { translating }), bytes.length);
      }),
      { ...RUNS, numRuns: 2000 },
    );
  });

  test('mean the same in every cut', () => {
    expect.hasAssertions();
    fc.assert(
      fc.property(anyStream, anyDamage, anySizes, fc.boolean(), (stream, how, sizes, translating) => {
        const bytes = damaged(stream, how);
        expectSame(runStream(cut(bytes, sizes), { translating }), runStream([bytes], { translating }));
      }),
      RUNS,
    );
  });

  test('mean the same however they are put into envelopes', () => {
    expect.hasAssertions();
    fc.assert(
      fc.property(
        anyStream,
        anyDamage,
        anySizes,
        fc.integer({ min: 1, max: 9 }),
        (stream, how, sizes, takeEvery) => {
          const chunks = cut(damaged(stream, how), sizes);
          expectSame(runStream(chunks, { takeEvery }), runStream(chunks));
        },
      ),
      RUNS,
    );
  });
});

test('anything at all', () => {
  expect.hasAssertions();
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 8 }),
      fc.boolean(),
      (noise, translating) => {
        const chunks = noise.map((each) => Buffer.from(each));
        const sent = chunks.reduce((sum, { length }) => sum + length, 0);
        expectSound(runStream(chunks, { translating }), sent);
      },
    ),
    { ...RUNS, numRuns: 2000 },
  );
});

/** Any words as commands, the names that are treated in some way among them. */
const NAMES = [
  'SET SETNX MSETNX HSETNX RENAMENX EXPIRE PEXPIREAT COPY RESTORE RESTORE-ASKING SELECT MULTI EXEC PING REPLCONF PUBLISH',
  'SPUBLISH FLUSHALL FLUSHDB SWAPDB DEL GETDEL GETEX SETEX PSETEX XADD XTRIM XCLAIM XAUTOCLAIM XGROUP XSETID XDELEX ZADD LMOVE',
  'LPOP BLMOVE LMPOP HSET HSETEX HGETDEL HPEXPIREAT FUNCTION EVAL EVALSHA SCRIPT ZRANGESTORE GEOSEARCHSTORE GEOADD MSETEX DELIFEQ',
]
  .join(' ')
  .split(' ');
const anyWord = fc.oneof(
  fc.constantFrom(...NAMES, ...NAMES.map((name) => name.toLowerCase())),
  fc.constantFrom(
    '0',
    '1',
    '-1',
    '15',
    '99999',
    '',
    'NX',
    'XX',
    'GET',
    'KEEPTTL',
    'PXAT',
    'EX',
    'DB',
    'LOAD',
    'DELETE',
    'STREAMS',
  ),
  fc.constantFrom(
    'redis-sync:link:x',
    'DTS_REDIS_TIMESTAMP_HEARTBEAT:x',
    'FIELDS',
    'MAXLEN',
    '~',
    '=',
    'REPLACE',
    'ABSTTL',
  ),
  fc.string({ maxLength: 8 }),
);
const anyCommand = fc
  .tuple(fc.constantFrom(...NAMES), fc.array(anyWord, { maxLength: 7 }))
  .map(([name, words]) => [name, ...words]);

test('well-formed commands that make no sense', () => {
  expect.hasAssertions();
  fc.assert(
    fc.property(fc.array(anyCommand, { maxLength: 12 }), fc.boolean(), (commands, translating) => {
      const bytes = encodeCommands(commands);
      const whole = runStream([bytes], { translating });
      expectSound(whole, bytes.length);
      expectSame(runStream(cut(bytes, [7, 1, 30]), { translating }), whole);
    }),
    { ...RUNS, numRuns: 4000 },
  );
});

test.each([false, true])(
  'a command with words missing takes none from the one before it (translating: %s)',
  (translating) => {
    const filler = ['DEL', ...Array.from({ length: 12 }, () => 'of-another')];
    for (const name of NAMES) {
      const { commands } = runStream([encodeCommands([filler, [name], [name, 'k'], [name, 'k', 'v']])], {
        translating,
      });
      const others = commands.filter((words) => words[1] !== 'DEL' || words[2] !== 'of-another');
      expect(others.flat()).not.toContain('of-another');
    }
  },
);

test.each([
  ['a SELECT without a number', '*1\r\n$6\r\nSELECT\r\n'],
  ['a SELECT of no number', '*2\r\n$6\r\nSELECT\r\n$1\r\nx\r\n'],
  ['a SELECT below 0', '*2\r\n$6\r\nSELECT\r\n$2\r\n-1\r\n'],
  ['a SWAPDB of one', '*2\r\n$6\r\nSWAPDB\r\n$1\r\n1\r\n'],
  ['a MULTI in a MULTI', '*1\r\n$5\r\nMULTI\r\n*1\r\n$5\r\nMULTI\r\n'],
  ['an EXEC without a MULTI', '*1\r\n$4\r\nEXEC\r\n'],
  ['a command of no words', '*0\r\n'],
  ['a null array', '*-1\r\n'],
  ['a null word', '*1\r\n$-1\r\n'],
  ['an inline command', 'PING\r\n'],
  ['an error of the source', '-ERR something\r\n'],
  ['a reply', '+OK\r\n'],
  ['a snapshot header', '$12345678\r\n'],
])('%s is no command stream', (_what, text) => {
  expect(runStream([Buffer.from(text, 'latin1')])).toMatchObject({ end: 'PROTOCOL', commands: [] });
});

describe('lengths that lie', () => {
  test.each([
    ['words', '*4194304\r\n'],
    ['bytes of a word', '*2\r\n$4\r\nSADD\r\n$4294967296\r\n'],
    ['bytes of a word that has begun', `*1\r\n$4294967296\r\n${'x'.repeat(5000)}`],
    ['digits', `*1\r\n$${'0'.repeat(10)}`],
  ])('%s: nothing is set aside for what has not come', (_what, head) => {
    const framer = new CommandFramer(() => undefined);
    const before = process.memoryUsage();
    for (const byte of Buffer.from(head, 'latin1')) framer.push(Buffer.from([byte]));
    const after = process.memoryUsage();
    expect(framer.pendingBytes).toBe(head.length);
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(1024 * 1024);
    expect(after.heapTotal - before.heapTotal).toBeLessThan(64 * 1024 * 1024);
  });

  test.each([
    ['too many words', '*4194305\r\n'],
    ['a word that is too long', '*1\r\n$4294967297\r\n'],
    ['no number that ends', `*${'9'.repeat(30)}\r\n`],
    ['zeros without end', `*1\r\n$${'0'.repeat(5000)}`],
  ])('%s: refused at once', (_what, head) => {
    const framer = new CommandFramer(() => undefined);
    expect(() => framer.push(Buffer.from(head))).toThrow(SyncError);
  });
});
