/** Comparing under conditions: writes going on, values too big, several nodes, refusals, limits. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { compareInstances } from '../../../engine/compare/compare.ts';
import { readCounts } from '../../../engine/compare/counts.ts';
import type { CompareMethod } from '../../../engine/compare/difference.ts';
import { Connection } from '../../../engine/connect/connection.ts';
import { textOf } from '../../../engine/resp/reply-text.ts';
import { seedDataset } from '../../../scenarios/data/seeding.ts';
import { freePort, startServer } from '../../support/server.ts';
import { ServerPair, summaries } from './server-pair.ts';

const METHODS: CompareMethod[] = ['snapshot', 'commands'];

let pair: ServerPair;
beforeAll(async () => {
  pair = await ServerPair.start({ 'enable-debug-command': 'yes' });
});
afterAll(() => pair[Symbol.asyncDispose]());
beforeEach(() => pair.flush());

async function commandCalls(connection: Connection, command: string): Promise<number> {
  const stats = textOf(await connection.call('INFO', 'commandstats'));
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}

const fill = async (connection: Connection): Promise<void> => {
  const elements = Array.from({ length: 20_000 }, (_, index) => `element ${index}`);
  await connection.call('HSET', 'hash', ...elements);
  await connection.call('SADD', 'set', ...elements);
  await connection.call('RPUSH', 'list', ...elements);
  await connection.call('ZADD', 'zset', ...elements.flatMap((member, index) => [index / 3, member]));
  await connection.call('SETRANGE', 'string', 20 * 1024 * 1024, 'end');
  for (let index = 0; index < 4000; index++)
    await connection.tryCall('XADD', 'stream', `${index + 1}-1`, 'f', 'x'.repeat(100));
  await connection.call('XGROUP', 'CREATE', 'stream', 'g', '0');
  await connection.call('XREADGROUP', 'GROUP', 'g', 'c', 'COUNT', 1500, 'STREAMS', 'stream', '>');
};

/** The smallest change a type allows. Returns the class it should be found as. */
async function changeOneThing(key: Buffer): Promise<string> {
  const type = await pair.target.call('TYPE', key);
  switch (type) {
    case 'string':
      await pair.target.call('APPEND', key, '!');
      break;
    case 'list':
      await pair.target.call('RPOPLPUSH', key, key);
      await pair.target.call('LPUSH', key, '!');
      break;
    case 'set':
      await pair.target.call('SADD', key, '!');
      break;
    case 'zset':
      await pair.target.call('ZADD', key, '0.1', '!');
      break;
    case 'hash':
      await pair.target.call('HSET', key, '!', '');
      break;
    default:
      await pair.target.call('DEL', key);
      return 'MISSING_KEY';
  }
  return 'VALUE_MISMATCH';
}

test('a key of the engine that goes while keys are compared is in no count', async () => {
  await pair.onBoth(['SET', 'k', 'v']);
  await pair.target.call('SADD', 'redis-sync:moved:link', 'of a link');
  let gone = 0;
  const result = await pair.compare({
    method: 'commands',
    pace: async () => void (gone += Number(await pair.target.call('DEL', 'redis-sync:moved:link'))),
  });
  expect(gone).toBe(1);
  expect(result.counts).toEqual([
    { database: 0, sourceKeys: 1, targetKeys: 1, sourceExpires: 0, targetExpires: 0 },
  ]);
});

describe('the comparer can fail', () => {
  test.each(METHODS)('by %s: of thousands of keys, exactly those changed are reported', async (method) => {
    const plan = {
      into: [],
      database: 0,
      keys: 3000,
      types: { string: 1, hash: 1, list: 1, set: 1, zset: 1, stream: 1 },
      prefix: 'k:',
      ttl: { share: 0.3, betweenMs: [3_600_000, 7_200_000] as [number, number] },
      values: { median: 20, p99: 400 },
      elements: { median: 8, p99: 700 },
      corners: true,
    };
    await seedDataset(pair.source.endpoint, plan, { seed: 3 });
    const { host, port } = pair.source.endpoint;
    await pair.onTarget(['REPLICAOF', host, port]);
    await expect
      .poll(async () => textOf(await pair.target.call('INFO', 'replication')), { timeout: 20_000 })
      .toContain('master_link_status:up');
    await pair.onTarget(['REPLICAOF', 'NO', 'ONE']);
    const before = await pair.compare({ method });
    expect(before).toMatchObject({ differences: [], unverified: {}, transient: 0 });
    expect(before.keysCompared).toBeGreaterThan(3000);

    const keys = await pair.target.call('KEYS', 'k:*');
    const chosen = (Array.isArray(keys) ? keys : []).filter(
      (key, index) => Buffer.isBuffer(key) && index % 97 === 0,
    );
    const changed = new Set<string>();
    for (const key of chosen)
      if (Buffer.isBuffer(key)) changed.add(`${await changeOneThing(key)} ${key.toString('base64')}`);
    const after = await pair.compare({ method });
    const found = after.differences.map((difference) => `${difference.class} ${difference.keyBase64}`);
    expect(found.toSorted()).toEqual([...changed].toSorted());
    expect(after.keysCompared).toBe(before.keysCompared);
    expect(after.types.reduce((sum, row) => sum + row.different, 0)).toBe(changed.size);
  });
});

async function writeUntil(signal: AbortSignal): Promise<void> {
  await using writer = await Connection.open(pair.source.endpoint);
  for (let index = 0; !signal.aborted; index++) {
    await writer.pipeline(
      Array.from({ length: 50 }, (_, at) => ['HINCRBY', `hot:${(index * 50 + at) % 400}`, 'count', 1]),
    );
  }
}

describe('while writes go on', () => {
  test.each(METHODS)('by %s: a native replica differs by the planted keys only', async (method) => {
    const { host, port } = pair.source.endpoint;
    await pair.source.call('DEBUG', 'POPULATE', 20_000, 'still', 40);
    await pair.onTarget(['REPLICAOF', host, port], ['CONFIG', 'SET', 'replica-read-only', 'no']);
    await expect
      .poll(async () => textOf(await pair.target.call('INFO', 'replication')), { timeout: 20_000 })
      .toContain('master_link_status:up');
    await pair.onTarget(
      ['DEL', 'still:7'],
      ['SET', 'still:8', 'other'],
      ['SET', 'extra', 'x'],
      ['EXPIRE', 'still:9', 10_000],
    );

    const stop = new AbortController();
    const writer = writeUntil(stop.signal);
    const result = await pair.compare({ method, roundWaitMs: 50 });
    stop.abort();
    await writer;
    await pair.onTarget(['REPLICAOF', 'NO', 'ONE'], ['CONFIG', 'SET', 'replica-read-only', 'yes']);
    expect(result.differences.map(({ class: name, key }) => `${name} ${key}`).toSorted()).toEqual([
      'EXTRA_KEY "extra"',
      'MISSING_KEY "still:7"',
      'TTL_MISMATCH "still:9"',
      'VALUE_MISMATCH "still:8"',
    ]);
    const allowed = new Set(['the source still changes the key']);
    expect(Object.keys(result.unverified).filter((reason) => !allowed.has(reason))).toEqual([]);
    expect(result.warnings.join()).toContain('is a replica');
  });

  test('an expiry that appears in a database without any is found', async () => {
    await pair.onBoth(['MSET', ...Array.from({ length: 500 }, (_, index) => [`k${index}`, 'v']).flat()]);
    let once = false;
    const result = await pair.compare({
      method: 'commands',
      pace: async (keys) => {
        if (keys < 450 || once) return;
        once = true;
        await pair.onTarget(...Array.from({ length: 500 }, (_, index) => ['EXPIRE', `k${index}`, 1000]));
      },
    });
    expect(once).toBe(true);
    expect(result.totals).toMatchObject({ TTL_MISMATCH: 500, VALUE_MISMATCH: 0 });
    expect(result.keysCompared).toBe(500);
  });

  test('a key added to the target after its counts were read is found', async () => {
    await pair.onBoth(['SET', 'a', '1'], ['SET', 'b', '1']);
    const result = await pair.compare({
      method: 'commands',
      pace: async () => pair.onTarget(['DEL', 'a'], ['SET', 'c', '1']),
    });
    expect(summaries(result).toSorted()).toEqual([
      'EXTRA_KEY "c": the key is only on the target',
      'MISSING_KEY "a": the key is missing on the target',
    ]);
  });
});

describe('big values', () => {
  test.each(METHODS)('by %s: are equal, then differ by one element each', async (method) => {
    await fill(pair.source);
    await fill(pair.target);
    await pair.onBoth(['CONFIG', 'RESETSTAT']);
    expect(await pair.compare({ method })).toMatchObject({
      differences: [],
      unverified: {},
      keysCompared: 6,
    });
    // Nobody dumped what would have blocked a server.
    expect(await commandCalls(pair.source, 'dump')).toBe(0);
    expect(await commandCalls(pair.target, 'dump')).toBe(0);
    await pair.onTarget(
      ['HSET', 'hash', 'element 19998', 'x'],
      ['SADD', 'set', 'one more'],
      ['RPOP', 'list'],
      ['ZADD', 'zset', 1e9, 'element 5000'],
      ['SETBIT', 'string', 77_777_777, 1],
      ['XACK', 'stream', 'g', '1400-1'],
    );
    const result = await pair.compare({ method });
    expect(
      summaries(result)
        .map((line) => line.slice(0, 100))
        .toSorted(),
    ).toEqual(
      [
        'VALUE_MISMATCH "hash": field "element 19998": "element 19999" ≠ "x"',
        'VALUE_MISMATCH "list": element 20000 of 20000 is missing on the target (it has 19999)',
        'VALUE_MISMATCH "set": member "one more" is only on the target',
        'VALUE_MISMATCH "stream": pending entry 1400-1 of group "g" is missing on the target',
        'VALUE_MISMATCH "string": from offset 9722222 of 20971523 bytes: "\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x0',
        'VALUE_MISMATCH "zset": score of "element 5000": 1666.6666666666667 ≠ 1000000000',
      ].map((line) => line.slice(0, 100)),
    );
    expect(result.unverified).toEqual({});
    expect(result.differences.map(({ source }) => source?.length)).not.toContain(0);
    expect(result.differences.every(({ source }) => (source?.text.length ?? 0) < 4000)).toBe(true);
  });
});

describe('several nodes', () => {
  test.each(METHODS)(
    'by %s: two sources into one target; a key on both sources is unverified',
    async (method) => {
      await using other = await startServer();
      await using second = await Connection.open(other.endpoint);
      await pair.source.call('MSET', 'a', '1', 'b', '1');
      await second.call('MSET', 'c', '1', 'd', '1');
      await pair.target.call('MSET', 'a', '1', 'b', '1', 'c', '1', 'd', '2');
      const compare = (): Promise<unknown> =>
        compareInstances({
          sources: [pair.source.endpoint, other.endpoint],
          targets: [pair.target.endpoint],
          method,
          roundWaitMs: 0,
        });
      expect(await compare()).toMatchObject({
        totals: { VALUE_MISMATCH: 1, MISSING_KEY: 0, EXTRA_KEY: 0 },
        counts: [{ database: 0, sourceKeys: 4, targetKeys: 4 }],
        unverified: {},
      });
      await second.call('MSET', 'a', '1', 'd', '2');
      expect(await compare()).toMatchObject({
        unverified: { 'the key is on more than one source node': 1 },
        differences: [],
      });
    },
  );

  test.each(METHODS)('by %s: a server into a cluster', async (method) => {
    const config = { 'cluster-enabled': 'yes', 'cluster-node-timeout': '2000' };
    await using first = await startServer(config);
    await using last = await startServer(config);
    await using low = await Connection.open(first.endpoint);
    await using high = await Connection.open(last.endpoint);
    await low.call('CLUSTER', 'ADDSLOTSRANGE', 0, 8191);
    await high.call('CLUSTER', 'ADDSLOTSRANGE', 8192, 16383);
    await low.call('CLUSTER', 'MEET', '127.0.0.1', last.port);
    for (const node of [low, high]) {
      await expect
        .poll(async () => textOf(await node.call('CLUSTER', 'INFO')), { timeout: 20_000 })
        .toMatch(/cluster_state:ok[^]*cluster_slots_assigned:16384/);
    }
    const names = Array.from({ length: 300 }, (_, index) => `key:${index}`);
    for (const name of names) {
      await pair.source.call('SET', name, name, 'PX', 1_000_000);
      const expiry = textOf(await pair.source.call('PEXPIRETIME', name));
      const set = ['SET', name, name, 'PXAT', expiry];
      const moved = textOf(await low.tryCall(...set)).startsWith('MOVED');
      if (moved) await high.call(...set);
    }
    await low.tryCall('DEL', 'key:5');
    await high.tryCall('DEL', 'key:5');
    const result = await compareInstances({
      sources: [pair.source.endpoint],
      targets: [first.endpoint, last.endpoint],
      method,
      roundWaitMs: 0,
    });
    expect(summaries(result)).toEqual(['MISSING_KEY "key:5": the key is missing on the target']);
    expect(result).toMatchObject({ keysCompared: 300, unverified: {} });
  });

  test.each(METHODS)('by %s: a database that the target does not have', async (method) => {
    await using small = await startServer({ databases: '2' });
    await pair.onSource(['SET', 'k', 'v'], ['SELECT', 5], ['SET', 'k', 'v'], ['SELECT', 0]);
    await using target = await Connection.open(small.endpoint);
    await target.call('SET', 'k', 'v');
    const result = await compareInstances({
      sources: [pair.source.endpoint],
      targets: [small.endpoint],
      method,
      roundWaitMs: 0,
    });
    expect(result.differences).toMatchObject([{ class: 'MISSING_KEY', database: 5, key: '"k"' }]);
    expect(result.unverified).toEqual({});
  });
});

describe('auto', () => {
  test('takes commands for little data, snapshots for much, and says why not', async () => {
    await pair.onBoth(['SET', 'k', 'v']);
    expect(await pair.compare()).toMatchObject({ method: 'commands', methodReason: 'the data is small' });
    await pair.onBoth(['DEBUG', 'POPULATE', 260_000]);
    expect(await pair.compare()).toMatchObject({
      method: 'snapshot',
      keysCompared: 260_001,
      differences: [],
    });
    await pair.onSource([
      'ACL',
      'SETUSER',
      'reader',
      'on',
      '>secret',
      '~*',
      '&*',
      '+@all',
      '-psync',
      '-sync',
    ]);
    const result = await compareInstances({
      sources: [{ ...pair.source.endpoint, username: 'reader', password: 'secret' }],
      targets: [pair.target.endpoint],
    });
    expect(result).toMatchObject({ method: 'commands', keysCompared: 260_001, differences: [] });
    expect(result.methodReason).toMatch(/refuses to be replicated|NOPERM/);
  });
});

describe('limits', () => {
  test.each(METHODS)('by %s: lists a few, counts all', async (method) => {
    await pair.source.call('DEBUG', 'POPULATE', 3000);
    const result = await pair.compare({ method, maxDifferences: 5, rounds: 1 });
    expect(result.differences).toHaveLength(5);
    expect(result.totals.MISSING_KEY).toBe(3000);
    expect(result.types).toMatchObject([{ type: 'string', compared: 3000, equal: 0, different: 3000 }]);
  });

  test.each(METHODS)('by %s: what cannot be kept for a second look counts from the first', async (method) => {
    await pair.source.call('DEBUG', 'POPULATE', 3000);
    const result = await pair.compare({ method, suspectBytes: 10_000 });
    expect(result.totals.MISSING_KEY).toBe(3000);
    expect(result.notRechecked).toBeGreaterThan(2000);
    expect(result.keysCompared).toBe(3000);
  });
});

describe('failures', () => {
  test('nobody listens', async () => {
    const nowhere = { host: '127.0.0.1', port: await freePort() };
    await expect(
      compareInstances({ sources: [pair.source.endpoint], targets: [nowhere] }),
    ).rejects.toMatchObject({
      code: 'CONNECT',
      where: `127.0.0.1:${nowhere.port}`,
    });
  });

  test.each(METHODS)('by %s: aborted', async (method) => {
    await pair.onBoth(['DEBUG', 'POPULATE', 50_000]);
    const controller = new AbortController();
    const comparing = pair.compare({
      method,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(comparing).rejects.toMatchObject({ code: 'ABORTED' });
  });

  test('an account that may not DUMP', async () => {
    await pair.onBoth(['SET', 'k', 'v']);
    await pair.onTarget(['ACL', 'SETUSER', 'weak', 'on', '>secret', '~*', '+@all', '-dump']);
    const comparing = compareInstances({
      sources: [pair.source.endpoint],
      targets: [{ ...pair.target.endpoint, username: 'weak', password: 'secret' }],
      method: 'commands',
    });
    await expect(comparing).rejects.toMatchObject({
      code: 'PERMISSION',
      hint: expect.stringContaining('ACL SETUSER'),
    });
  });

  test('neither side', async () => {
    await expect(compareInstances({ sources: [], targets: [] })).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('what reading leaves behind', () => {
  test('warns that it disturbs an LRU, and of keys evicted meanwhile', async () => {
    await pair.onBoth(['DEBUG', 'POPULATE', 5000, 'k', 1000]);
    const result = await pair.compare({
      method: 'commands',
      rounds: 1,
      pace: async () =>
        pair.onTarget(['CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru', 'maxmemory', '4mb']),
    });
    const policies = await pair.compare({ method: 'commands', rounds: 1 });
    await pair.onTarget(['CONFIG', 'SET', 'maxmemory', '0', 'maxmemory-policy', 'noeviction']);
    const evicted = Number(/(\d+) keys were evicted while comparing/.exec(result.warnings.join())?.[1]);
    expect(evicted).toBeGreaterThan(1000);
    expect(result.totals.MISSING_KEY).toBeGreaterThan(1000);
    expect(policies.warnings.join()).toContain('maxmemory-policy is allkeys-lru');
  });

  test('counts are those before anything was read, and nothing was written', async () => {
    await pair.onBoth(['DEBUG', 'SET-ACTIVE-EXPIRE', 0]);
    await pair.onBoth(['SET', 'short', 'v', 'PX', 1], ['SET', 'k', 'v']);
    await expect.poll(() => pair.source.call('EVAL', "return redis.call('TIME')[1]", 0)).toBeTruthy();
    const result = await pair.compare({ method: 'commands' });
    await pair.onBoth(['DEBUG', 'SET-ACTIVE-EXPIRE', 1]);
    expect(result.counts).toEqual([
      { database: 0, sourceKeys: 2, targetKeys: 2, sourceExpires: 1, targetExpires: 1 },
    ]);
    expect(result).toMatchObject({ keysCompared: 1, differences: [] });
  });
});

test('readCounts leaves out ignored keys by exact count, and touches no other', async () => {
  await pair.onSource(['DEBUG', 'SET-ACTIVE-EXPIRE', 0]);
  await pair.onSource(
    ['DEBUG', 'POPULATE', 2500],
    ['SET', 'short', 'v', 'PX', 1],
    ['HSET', 'redis-sync:link:a', 'offset', 1],
    ['SET', 'beat[1]*:x', 'v', 'EX', 100],
    ['SET', 'beat1:x', 'v'],
    ['SELECT', 12],
    ['SET', 'k', 'v'],
    ['SELECT', 0],
  );
  await using reader = await Connection.open(pair.source.endpoint);
  const counts = await readCounts(reader, ['redis-sync:', 'beat[1]*:']);
  await pair.onSource(['DEBUG', 'SET-ACTIVE-EXPIRE', 1]);
  expect(counts).toEqual([
    { database: 0, keys: 2502, expires: 1 },
    { database: 12, keys: 1, expires: 0 },
  ]);
});
