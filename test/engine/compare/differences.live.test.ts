/** Every class of difference, for every type, by every method: planted on real servers, found, and named. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CompareOptions } from '../../../engine/compare/options.ts';
import { ServerPair, summaries, type Command } from './server-pair.ts';

const FAR_MS = 4_000_000_000_000;

interface Case {
  name: string;
  both?: Command[];
  source?: Command[];
  target?: Command[];
  /** What is reported, in any order. */
  found: (string | RegExp)[];
}

const list = (count: number, prefix = 'e'): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}`);
const stream: Command[] = [
  ['XADD', 's', '1-1', 'f', 'a'],
  ['XADD', 's', '2-1', 'f', 'b'],
  ['XADD', 's', '3-1', 'f', 'c'],
];
const pending: Command[] = [
  ...stream,
  ['XGROUP', 'CREATE', 's', 'g', '0'],
  ['XREADGROUP', 'GROUP', 'g', 'c', 'COUNT', 2, 'STREAMS', 's', '>'],
];

const CASES: Case[] = [
  {
    name: 'string missing',
    source: [['SET', 'k', 'v']],
    found: ['MISSING_KEY "k": the key is missing on the target'],
  },
  {
    name: 'empty string missing',
    source: [['SET', 'k', '']],
    found: ['MISSING_KEY "k": the key is missing on the target'],
  },
  {
    name: 'string only on the target',
    target: [['SET', 'k', 'v']],
    found: ['EXTRA_KEY "k": the key is only on the target'],
  },
  {
    name: 'string value',
    source: [['SET', 'k', '1']],
    target: [['SET', 'k', '2']],
    found: ['VALUE_MISMATCH "k": "1" ≠ "2"'],
  },
  {
    name: 'string truncated',
    source: [['SET', 'k', 'x'.repeat(300)]],
    target: [['SET', 'k', 'x'.repeat(299)]],
    found: ['VALUE_MISMATCH "k": from offset 299 of 300 and 299 bytes: "xxxxxxxxx" ≠ "xxxxxxxx"'],
  },
  {
    name: 'type',
    source: [['SET', 'k', 'v']],
    target: [['HSET', 'k', 'f', 'v']],
    found: ['TYPE_MISMATCH "k": type: string ≠ hash'],
  },
  {
    name: 'type and expiry',
    source: [['SET', 'k', 'v', 'PXAT', FAR_MS]],
    target: [['RPUSH', 'k', 'v']],
    found: [
      'TYPE_MISMATCH "k": type: string ≠ list',
      'TTL_MISMATCH "k": expires at 2096-10-02T07:06:40.000Z on the source, never on the target',
    ],
  },
  {
    name: 'expiry missing on the target',
    both: [['SET', 'k', 'v']],
    source: [['PEXPIREAT', 'k', FAR_MS]],
    found: ['TTL_MISMATCH "k": expires at 2096-10-02T07:06:40.000Z on the source, never on the target'],
  },
  {
    name: 'expiry only on the target',
    both: [['RPUSH', 'k', 'v']],
    target: [['PEXPIREAT', 'k', FAR_MS]],
    found: ['TTL_MISMATCH "k": expires at 2096-10-02T07:06:40.000Z on the target, never on the source'],
  },
  {
    name: 'expiry beyond the tolerance',
    source: [['SET', 'k', 'v', 'PXAT', FAR_MS]],
    target: [['SET', 'k', 'v', 'PXAT', FAR_MS - 10_000]],
    found: [
      'TTL_MISMATCH "k": expires 10 s earlier on the target: 2096-10-02T07:06:40.000Z ≠ 2096-10-02T07:06:30.000Z',
    ],
  },
  {
    name: 'expiry within the tolerance',
    source: [['SET', 'k', 'v', 'PXAT', FAR_MS]],
    target: [['SET', 'k', 'v', 'PXAT', FAR_MS - 900]],
    found: [],
  },
  {
    name: 'value and expiry of one key',
    source: [['SET', 'k', 'v', 'PXAT', FAR_MS]],
    target: [['SET', 'k', 'w']],
    found: [
      'VALUE_MISMATCH "k": "v" ≠ "w"',
      'TTL_MISMATCH "k": expires at 2096-10-02T07:06:40.000Z on the source, never on the target',
    ],
  },
  {
    name: 'list truncated',
    both: [['RPUSH', 'l', ...list(16)]],
    source: [['RPUSH', 'l', ...list(4, 'x')]],
    found: ['VALUE_MISMATCH "l": element 17 of 20 is missing on the target (it has 16)'],
  },
  {
    name: 'list extended',
    both: [['RPUSH', 'l', ...list(16)]],
    target: [['RPUSH', 'l', ...list(4, 'x')]],
    found: ['VALUE_MISMATCH "l": element 17 of 20 is only on the target (the source has 16)'],
  },
  {
    name: 'list in another order',
    source: [['RPUSH', 'l', 'a', 'b']],
    target: [['RPUSH', 'l', 'b', 'a']],
    found: ['VALUE_MISMATCH "l": element 1 of 2: "a" ≠ "b"'],
  },
  {
    name: 'list duplicated',
    both: [['RPUSH', 'l', 'a', 'b']],
    target: [['RPUSH', 'l', 'a', 'b']],
    found: ['VALUE_MISMATCH "l": element 3 of 4 is only on the target (the source has 2)'],
  },
  {
    name: 'list of many nodes, last element',
    both: [['RPUSH', 'l', ...list(3000)]],
    target: [['LSET', 'l', 2999, 'other']],
    found: ['VALUE_MISMATCH "l": element 3000 of 3000: "e2999" ≠ "other"'],
  },
  {
    name: 'set member missing, small',
    both: [['SADD', 's', 'a', 'b']],
    source: [['SADD', 's', 'c']],
    found: ['VALUE_MISMATCH "s": member "c" is missing on the target'],
  },
  {
    name: 'set member replaced, hashtable',
    both: [['SADD', 's', ...list(1000)]],
    target: [
      ['SREM', 's', 'e7'],
      ['SADD', 's', 'other'],
    ],
    found: ['VALUE_MISMATCH "s": member "e7" is missing on the target'],
  },
  {
    name: 'set of integers',
    both: [['SADD', 's', 1, 2, 70_000]],
    target: [['SADD', 's', '-9223372036854775808']],
    found: ['VALUE_MISMATCH "s": member "-9223372036854775808" is only on the target'],
  },
  {
    name: 'hash value',
    source: [['HSET', 'h', 'f', '1', 'g', '0']],
    target: [['HSET', 'h', 'f', '2', 'g', '0']],
    found: ['VALUE_MISMATCH "h": field "f": "1" ≠ "2"'],
  },
  {
    name: 'hash values exchanged',
    source: [['HSET', 'h', 'f', '1', 'g', '2']],
    target: [['HSET', 'h', 'f', '2', 'g', '1']],
    found: ['VALUE_MISMATCH "h": field "f": "1" ≠ "2"'],
  },
  {
    name: 'hash field missing, hashtable',
    both: [['HSET', 'h', ...list(1000)]],
    target: [['HDEL', 'h', 'e10']],
    found: ['VALUE_MISMATCH "h": field "e10" is missing on the target'],
  },
  {
    name: 'hash field only on the target',
    both: [['HSET', 'h', 'f', '1']],
    target: [['HSET', 'h', 'g', '1']],
    found: ['VALUE_MISMATCH "h": field "g" is only on the target'],
  },
  {
    name: 'zset score',
    source: [['ZADD', 'z', 1, 'm', 2, 'n']],
    target: [['ZADD', 'z', 1.5, 'm', 2, 'n']],
    found: ['VALUE_MISMATCH "z": score of "m": 1 ≠ 1.5'],
  },
  {
    name: 'zset score by one bit, listpack',
    source: [['ZADD', 'z', '0.1', 'm']],
    target: [['ZADD', 'z', '0.10000000000000002', 'm']],
    found: ['VALUE_MISMATCH "z": score of "m": 0.1 ≠ 0.10000000000000002'],
  },
  {
    name: 'zset score by one bit, skiplist',
    both: [['ZADD', 'z', ...list(200).flatMap((member, i) => [i, member])]],
    source: [['ZADD', 'z', '3.3333333333333335', 'm']],
    target: [['ZADD', 'z', '3.333333333333333', 'm']],
    found: ['VALUE_MISMATCH "z": score of "m": 3.3333333333333335 ≠ 3.333333333333333'],
  },
  {
    name: 'zset score infinite',
    source: [['ZADD', 'z', 'inf', 'm']],
    target: [['ZADD', 'z', '-inf', 'm']],
    found: ['VALUE_MISMATCH "z": score of "m": inf ≠ -inf'],
  },
  {
    name: 'zset member missing',
    source: [['ZADD', 'z', 1, 'm', 2, 'n']],
    target: [['ZADD', 'z', 1, 'm']],
    found: ['VALUE_MISMATCH "z": member "n" is missing on the target'],
  },
  {
    name: 'stream entry missing',
    both: stream,
    target: [['XDEL', 's', '2-1']],
    found: ['VALUE_MISMATCH "s": entry 2-1 is missing on the target'],
  },
  {
    name: 'stream entry differs',
    source: [['XADD', 's', '1-1', 'f', 'a']],
    target: [['XADD', 's', '1-1', 'f', 'b']],
    found: ['VALUE_MISMATCH "s": entry 1-1: ["f" "a"] ≠ ["f" "b"]'],
  },
  {
    name: 'stream last id',
    both: stream,
    source: [
      ['XADD', 's', '9-1', 'f', 'x'],
      ['XDEL', 's', '9-1'],
    ],
    found: ['VALUE_MISMATCH "s": last id: 9-1 ≠ 3-1'],
  },
  {
    name: 'empty stream with a group missing',
    source: [['XGROUP', 'CREATE', 's', 'g', '$', 'MKSTREAM']],
    found: ['MISSING_KEY "s": the key is missing on the target'],
  },
  {
    name: 'stream group missing',
    both: stream,
    source: [['XGROUP', 'CREATE', 's', 'g', '0']],
    found: ['VALUE_MISMATCH "s": consumer group "g" is missing on the target'],
  },
  {
    name: 'stream group elsewhere',
    both: [...stream, ['XGROUP', 'CREATE', 's', 'g', '0']],
    target: [['XGROUP', 'SETID', 's', 'g', '2-1']],
    found: ['VALUE_MISMATCH "s": last delivered id of group "g": 0-0 ≠ 2-1'],
  },
  {
    name: 'stream consumer missing',
    both: [...stream, ['XGROUP', 'CREATE', 's', 'g', '0']],
    source: [['XGROUP', 'CREATECONSUMER', 's', 'g', 'c']],
    found: [
      'VALUE_MISMATCH "s": consumer "c" of group "g" is missing on the target (nothing is pending for it; old servers do not replicate such a consumer)',
    ],
  },
  {
    name: 'stream pending entry acknowledged',
    both: pending,
    target: [['XACK', 's', 'g', '1-1']],
    found: ['VALUE_MISMATCH "s": pending entry 1-1 of group "g" is missing on the target'],
  },
  {
    name: 'stream delivery count',
    both: pending,
    source: [['XCLAIM', 's', 'g', 'c', 0, '1-1', 'RETRYCOUNT', 7]],
    found: ['VALUE_MISMATCH "s": deliveries of pending entry 1-1 of group "g": 7 ≠ 1'],
  },
  {
    name: 'stream pending entry of another consumer',
    both: [...pending, ['XGROUP', 'CREATECONSUMER', 's', 'g', 'd']],
    source: [['XCLAIM', 's', 'g', 'd', 0, '1-1', 'RETRYCOUNT', 1]],
    found: ['VALUE_MISMATCH "s": consumer of pending entry 1-1 of group "g": "d" ≠ "c"'],
  },
  {
    name: 'hyperloglog',
    both: [['PFADD', 'p', ...list(50)]],
    source: [['PFADD', 'p', 'one more']],
    found: [/^VALUE_MISMATCH "p": from offset 96 of \d+ and \d+ bytes: /],
  },
  {
    name: 'bitmap',
    both: [['SETBIT', 'b', 10_000, 1]],
    target: [['SETBIT', 'b', 77, 1]],
    found: [/^VALUE_MISMATCH "b": from offset 9 of 1251 bytes: .* ≠ "(\\x00){8}\\x04/],
  },
  {
    name: 'binary key',
    source: [['SET', Buffer.from([0, 255, 13, 10, 34]), 'v']],
    found: ['MISSING_KEY "\\x00\\xff\\r\\n\\"": the key is missing on the target'],
  },
  {
    name: 'empty key name',
    source: [['SET', '', 'v']],
    target: [['SET', '', 'w']],
    found: ['VALUE_MISMATCH "": "v" ≠ "w"'],
  },
  {
    name: 'database 12',
    source: [
      ['SELECT', 12],
      ['SET', 'k', 'v'],
      ['SELECT', 0],
    ],
    target: [
      ['SELECT', 13],
      ['SET', 'k', 'v'],
      ['SELECT', 0],
    ],
    found: [
      'MISSING_KEY "k": the key is missing on the target',
      'EXTRA_KEY "k": the key is only on the target',
    ],
  },
  {
    name: 'all data gone',
    source: [['MSET', 'a', '1', 'b', '2', 'c', '3']],
    found: ['a', 'b', 'c'].map((key) => `MISSING_KEY "${key}": the key is missing on the target`),
  },
];

const WAYS: { way: string; options: Partial<CompareOptions> }[] = [
  { way: 'snapshots', options: { method: 'snapshot' } },
  { way: 'snapshots, then pages', options: { method: 'snapshot', bigValueBytes: 1 } },
  { way: 'commands', options: { method: 'commands' } },
  { way: 'commands before 7.0', options: { method: 'commands', relativeExpiry: true } },
  // A limit below every value: nothing is read whole.
  { way: 'commands in pages', options: { method: 'commands', bigValueBytes: 1 } },
];

describe.each(WAYS)('by $way', ({ options }) => {
  let pair: ServerPair;
  beforeAll(async () => {
    pair = await ServerPair.start();
  });
  afterAll(() => pair[Symbol.asyncDispose]());
  beforeEach(() => pair.flush());

  test.each(CASES)('$name', async ({ both = [], source = [], target = [], found }) => {
    await pair.onBoth(...both);
    await pair.onSource(...source);
    await pair.onTarget(...target);
    const result = await pair.compare(options);
    const lines = summaries(result);
    const reported = options.relativeExpiry === true ? lines.map(roundDeadlines) : lines;
    const unexplained = reported.filter((line) => !found.some((wanted) => matches(line, wanted)));
    const unreported = found.filter((wanted) => !reported.some((line) => matches(line, wanted)));
    expect({ unexplained, unreported }).toEqual({ unexplained: [], unreported: [] });
    expect(reported).toHaveLength(found.length);
    expect(result.unverified).toEqual({});
    expect(Object.values(result.totals).reduce((sum, count) => sum + count, 0)).toBe(found.length);
  });
});

/** Of a server that tells only for how long a key lives on, and what time it is, each a moment apart from the other. */
function roundDeadlines(line: string): string {
  return line.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (written) => {
    const ms = Date.parse(written);
    const second = Math.round(ms / 1000) * 1000;
    return Math.abs(ms - second) <= 2 ? new Date(second).toISOString() : written;
  });
}

function matches(line: string, wanted: string | RegExp): boolean {
  return typeof wanted === 'string' ? line === wanted : wanted.test(line);
}
