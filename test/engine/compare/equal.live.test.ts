/** What must not be called different: other orders, other encodings, copies made in other ways, what is only on its way. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CompareOptions } from '../../../engine/compare/options.ts';
import { textOf } from '../../../engine/resp/reply-text.ts';
import { ServerPair, summaries, type Command } from './server-pair.ts';

const list = (count: number): string[] => Array.from({ length: count }, (_, i) => `e${i}`);

const WAYS: { way: string; options: Partial<CompareOptions> }[] = [
  { way: 'snapshots', options: { method: 'snapshot' } },
  { way: 'commands', options: { method: 'commands' } },
  { way: 'commands in pages', options: { method: 'commands', bigValueBytes: 1 } },
];

interface Case {
  name: string;
  source: Command[];
  target: Command[];
}

const CASES: Case[] = [
  {
    name: 'set members in another order',
    source: [['SADD', 's', ...list(50)]],
    target: [['SADD', 's', ...list(50).toReversed()]],
  },
  {
    name: 'hash fields in another order, listpack',
    source: [['HSET', 'h', 'a', '1', 'b', '2']],
    target: [['HSET', 'h', 'b', '2', 'a', '1']],
  },
  {
    name: 'hash as listpack and as hashtable',
    source: [['HSET', 'h', ...list(20)]],
    target: [
      ['HSET', 'h', ...list(20), 'long', 'x'.repeat(100)],
      ['HDEL', 'h', 'long'],
    ],
  },
  {
    name: 'zset as listpack and as skiplist, scores of 17 digits, infinite and negative',
    source: [['ZADD', 'z', '0.1', 'a', '-1.1', 'b', 'inf', 'c', '-inf', 'd', '1e300', 'e', '5', 'f']],
    target: [
      ['ZADD', 'z', '5', 'f', '1e300', 'e', '-inf', 'd', 'inf', 'c', '-1.1', 'b', '0.1', 'a'],
      ['ZADD', 'z', '1', 'x'.repeat(100)],
      ['ZREM', 'z', 'x'.repeat(100)],
    ],
  },
  {
    name: 'zset score 0 and -0',
    source: [['ZADD', 'z', '0', 'a']],
    target: [['ZADD', 'z', '-0', 'a']],
  },
  {
    name: 'zset score 0 and -0, skiplist',
    source: [['ZADD', 'z', '0', 'a', 1, 'x'.repeat(100)]],
    target: [['ZADD', 'z', '-0', 'a', 1, 'x'.repeat(100)]],
  },
  {
    name: 'set of integers as intset and as hashtable',
    source: [['SADD', 's', 1, -5, 70_000, '9223372036854775807']],
    target: [
      ['SADD', 's', 'x', 1, -5, 70_000, '9223372036854775807'],
      ['SREM', 's', 'x'],
    ],
  },
  {
    name: 'string as integer and as text made by APPEND',
    source: [['SET', 'k', '12345']],
    target: [
      ['SET', 'k', '123'],
      ['APPEND', 'k', '45'],
    ],
  },
  {
    name: 'list in nodes of other sizes',
    source: [['RPUSH', 'l', ...list(3000)]],
    target: [
      ['CONFIG', 'SET', 'list-max-listpack-size', 5],
      ['RPUSH', 'l', ...list(3000)],
      ['CONFIG', 'SET', 'list-max-listpack-size', -2],
    ],
  },
  {
    name: 'list pushed from the other end',
    source: [['RPUSH', 'l', ...list(100)]],
    target: [['LPUSH', 'l', ...list(100).toReversed()]],
  },
  {
    name: 'stream read at other times, entries deleted and added',
    source: [
      ['XADD', 's', '1-1', 'f', 'a'],
      ['XGROUP', 'CREATE', 's', 'g', '0'],
      ['XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 's', '>'],
    ],
    target: [
      ['XADD', 's', '0-1', 'f', 'gone'],
      ['XADD', 's', '1-1', 'f', 'a'],
      ['XDEL', 's', '0-1'],
      ['XGROUP', 'CREATE', 's', 'g', '0'],
      ['XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 's', '>'],
    ],
  },
  {
    name: 'compressed and not compressed',
    source: [['SET', 'k', 'ab'.repeat(500)]],
    target: [
      ['CONFIG', 'SET', 'rdbcompression', 'no'],
      ['SET', 'k', 'ab'.repeat(500)],
    ],
  },
];

describe.each(WAYS)('by $way', ({ options }) => {
  let pair: ServerPair;
  beforeAll(async () => {
    pair = await ServerPair.start();
  });
  afterAll(() => pair[Symbol.asyncDispose]());
  beforeEach(async () => {
    await pair.flush();
    await pair.onBoth(['CONFIG', 'SET', 'rdbcompression', 'yes']);
  });

  test.each(CASES)('$name', async ({ source, target }) => {
    await pair.onSource(...source);
    await pair.onTarget(...target);
    const result = await pair.compare(options);
    expect(summaries(result)).toEqual([]);
    expect(result).toMatchObject({ keysCompared: 1, unverified: {}, transient: 0 });
  });

  test('two empty servers: nothing was compared', async () => {
    expect(await pair.compare(options)).toMatchObject({
      keysCompared: 0,
      counts: [],
      types: [],
      differences: [],
    });
  });

  test('keys that expired but were not deleted yet are on neither side', async () => {
    await pair.onBoth(['DEBUG', 'SET-ACTIVE-EXPIRE', 0]).catch(() => undefined);
    await pair.onSource(['SET', 'k', 'v', 'PX', 1], ['SET', 'stays', 'v']);
    await pair.onTarget(['SET', 'stays', 'v']);
    const result = await pair.compare(options);
    expect(summaries(result)).toEqual([]);
    expect(result.types).toEqual([{ database: 0, type: 'string', compared: 1, equal: 1, different: 0 }]);
  });

  test('a key about to expire that is gone on the target has expired in flight', async () => {
    await pair.onSource(['SET', 'k', 'v', 'PX', 20_000]);
    const result = await pair.compare({ ...options, ttlToleranceMs: 30_000 });
    expect(result).toMatchObject({ expiredInFlight: 1, differences: [], keysCompared: 0 });
    expect(summaries(await pair.compare({ ...options, ttlToleranceMs: 1000 }))).toEqual([
      'MISSING_KEY "k": the key is missing on the target',
    ]);
  });

  test('keys of the engine and of the heartbeat are left out of everything', async () => {
    await pair.onSource(['SET', 'DTS_REDIS_TIMESTAMP_HEARTBEAT:1', 'x', 'EX', 1000], ['SET', 'k', 'v']);
    await pair.onTarget(['HSET', 'redis-sync:link:a', 'offset', 1], ['SET', 'k', 'v']);
    const result = await pair.compare({ ...options, ignorePrefixes: ['DTS_REDIS_TIMESTAMP_HEARTBEAT'] });
    expect(result).toMatchObject({
      keysCompared: 1,
      differences: [],
      ignored: { source: 1, target: 1 },
      counts: [{ database: 0, sourceKeys: 1, targetKeys: 1, sourceExpires: 0, targetExpires: 0 }],
    });
  });
});

describe('copies of everything', () => {
  let pair: ServerPair;
  beforeAll(async () => {
    pair = await ServerPair.start({ 'enable-debug-command': 'yes' });
    for (let index = 0; index < 300; index++) await pair.onSource(...everyType(index));
  });
  afterAll(() => pair[Symbol.asyncDispose]());

  /** What each method says that should not be there. */
  async function complaints(): Promise<unknown[]> {
    const found: unknown[] = [];
    for (const { options } of WAYS) {
      const result = await pair.compare(options);
      found.push(...summaries(result), ...Object.keys(result.unverified));
      if (result.transient > 0 || result.keysCompared !== 2700) found.push(result);
    }
    return found;
  }

  test('as a replica', async () => {
    const { host, port } = pair.source.endpoint;
    await pair.onTarget(['REPLICAOF', host, port]);
    await expect
      .poll(async () => textOf(await pair.target.call('INFO', 'replication')), { timeout: 20_000 })
      .toContain('master_link_status:up');
    await pair.onTarget(['REPLICAOF', 'NO', 'ONE']);
    expect(await complaints()).toEqual([]);
  });

  test('by RESTORE', async () => {
    await pair.onTarget(['FLUSHALL']);
    for (const [key, payload, expiry] of await dumpAll(pair)) {
      const deadline = Math.max(0, expiry);
      await pair.onTarget(['RESTORE', key, deadline, payload, 'ABSTTL']);
    }
    expect(await complaints()).toEqual([]);
  });

  test('by the same commands', async () => {
    await pair.onTarget(['FLUSHALL']);
    for (let index = 299; index >= 0; index--) await pair.onTarget(...everyType(index));
    expect(await complaints()).toEqual([]);
  });

  test('after both reloaded from disk', async () => {
    await pair.onBoth(['DEBUG', 'RELOAD']);
    expect(await complaints()).toEqual([]);
  });
});

async function dumpAll(pair: ServerPair): Promise<[Buffer, Buffer, number][]> {
  const keys = await pair.source.call('KEYS', '*');
  const rows: [Buffer, Buffer, number][] = [];
  for (const key of Array.isArray(keys) ? keys : []) {
    if (!Buffer.isBuffer(key)) continue;
    const [payload, expiry] = await pair.source.pipeline([
      ['DUMP', key],
      ['PEXPIRETIME', key],
    ]);
    if (Buffer.isBuffer(payload)) rows.push([key, payload, Number(expiry)]);
  }
  return rows;
}

/** One key of each type, sizes growing with the number so that every encoding occurs. */
function everyType(index: number): Command[] {
  const elements = list(1 + ((index * 7) % 700));
  const name = (type: string): string => `${type}:${index}`;
  return [
    ['SET', name('string'), 'v'.repeat(index), 'PXAT', 4_000_000_000_000 + index],
    ['SET', name('integer'), index * 1_000_003 - 5_000_000],
    ['RPUSH', name('list'), ...elements],
    ['SADD', name('set'), ...elements],
    ['SADD', name('intset'), ...elements.map((_, i) => i * index * 131)],
    ['ZADD', name('zset'), ...elements.flatMap((member, i) => [i / 7 - index, member])],
    ['HSET', name('hash'), ...elements.flatMap((field, i) => [field, String(i * index)])],
    ['XADD', name('stream'), '1-1', ...elements.slice(0, 20).flatMap((field) => [field, 'v'])],
    ['XADD', name('stream'), '2-1', 'f', 'v'],
    ['XGROUP', 'CREATE', name('stream'), 'g', '0'],
    ['XREADGROUP', 'GROUP', 'g', 'c', 'COUNT', 1, 'STREAMS', name('stream'), '>'],
    ['PFADD', name('hyperloglog'), ...elements],
  ];
}
