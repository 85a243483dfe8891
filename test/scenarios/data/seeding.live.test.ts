/** Seeding a real server: exact, repeatable, of every type and encoding, in any database. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Connection } from '../../../engine/connect/connection.ts';
import type { Reply } from '../../../engine/resp/reply.ts';
import { CORNER_COUNT } from '../../../scenarios/data/corners.ts';
import type { DatasetPlan } from '../../../scenarios/data/dataset.ts';
import { seedBenchSet } from '../../../scenarios/data/bench-set.ts';
import { seedDataset } from '../../../scenarios/data/seeding.ts';
import { replyText } from '../reply-text.ts';
import { startServer, type TestServer } from '../../support/server.ts';

const PLAN: DatasetPlan = {
  into: [],
  database: 0,
  keys: 3000,
  types: { string: 30, hash: 20, list: 10, set: 10, zset: 10, stream: 5, hyperloglog: 5, bitmap: 5, geo: 5 },
  prefix: 'app:',
  ttl: { share: 0.25, betweenMs: [600_000, 7_200_000] },
  values: { median: 120, p99: 4096 },
  elements: { median: 8, p99: 400 },
  corners: true,
};

let one: TestServer;
let two: TestServer;
let connection: Connection;

beforeAll(async () => {
  [one, two] = await Promise.all([
    startServer({ 'enable-debug-command': 'yes' }),
    startServer({ 'enable-debug-command': 'yes' }),
  ]);
  connection = await Connection.open(one.endpoint);
});

afterAll(async () => {
  await connection.close();
  await Promise.all([one.stop(), two.stop()]);
});

async function digestOf(server: TestServer, seed: number, plan = PLAN): Promise<Reply> {
  await using client = await Connection.open(server.endpoint);
  await client.call('FLUSHALL');
  await seedDataset(server.endpoint, plan, { seed });
  return await client.call('DEBUG', 'DIGEST');
}

async function keysOf(client: Connection, database: number): Promise<Buffer[]> {
  await client.call('SELECT', database);
  const keys = await client.call('KEYS', '*');
  return Array.isArray(keys) ? keys.filter((key) => Buffer.isBuffer(key)) : [];
}

/** `TYPE` and `OBJECT ENCODING` of every key, as `type encoding`. */
async function encodings(client: Connection, keys: readonly Buffer[]): Promise<Map<string, number>> {
  const types = await client.pipeline(keys.map((key) => ['TYPE', key]));
  const forms = await client.pipeline(keys.map((key) => ['OBJECT', 'ENCODING', key]));
  const counts = new Map<string, number>();
  for (const [index, type] of types.entries()) {
    const word = `${replyText(type)} ${replyText(forms[index])}`;
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}

describe('seedDataset', () => {
  test('the same seed fills two servers alike, another seed differently', async () => {
    const [first, second] = await Promise.all([digestOf(one, 7), digestOf(two, 7)]);
    expect(second).toEqual(first);
    expect(await digestOf(two, 8)).not.toEqual(first);
  });

  test('creates exactly the keys asked for, and the corner keys', async () => {
    await connection.call('FLUSHALL');
    const result = await seedDataset(one.endpoint, PLAN, { seed: 3 });
    expect(await connection.call('DBSIZE')).toBe(PLAN.keys + CORNER_COUNT);
    expect(result).toMatchObject({ keys: PLAN.keys + CORNER_COUNT, corners: CORNER_COUNT });
    expect(Object.values(result.perType).reduce((sum, keys) => sum + keys, 0)).toBe(result.keys);
  });

  test('every type comes in its small and its large encoding', async () => {
    await connection.call('FLUSHALL');
    await seedDataset(one.endpoint, { ...PLAN, corners: false }, { seed: 3 });
    const found = await encodings(connection, await keysOf(connection, 0));
    expect([...found.keys()].toSorted()).toEqual([
      'hash hashtable',
      'hash listpack',
      'list quicklist',
      'set hashtable',
      'set intset',
      'stream stream',
      'string embstr',
      'string int',
      'string raw',
      'zset listpack',
      'zset skiplist',
    ]);
  });

  test('the share with a TTL and its bounds are kept', async () => {
    await connection.call('FLUSHALL');
    await seedDataset(one.endpoint, { ...PLAN, corners: false }, { seed: 4 });
    const keys = await keysOf(connection, 0);
    const left = (await connection.pipeline(keys.map((key) => ['PTTL', key])))
      .map(Number)
      .filter((ms) => ms >= 0);
    expect(left.length / PLAN.keys).toBeGreaterThan(0.2);
    expect(left.length / PLAN.keys).toBeLessThan(0.3);
    expect(Math.max(...left)).toBeLessThanOrEqual(7_200_000);
    expect(Math.min(...left)).toBeGreaterThan(500_000);
  });

  test('streams have groups, pending and deleted entries', async () => {
    await connection.call('FLUSHALL');
    await seedDataset(one.endpoint, { ...PLAN, keys: 60, types: { stream: 1 }, corners: false }, { seed: 4 });
    const keys = await keysOf(connection, 0);
    const infos = (await connection.pipeline(keys.map((key) => ['XINFO', 'STREAM', key, 'FULL']))).map(
      (info) => replyText(info),
    );
    expect(infos.filter((info) => info.includes('"workers"')).length).toBeGreaterThan(10);
    expect(infos.filter((info) => /"pel-count",[1-9]/.test(info)).length).toBeGreaterThan(10);
    expect(infos.filter((info) => !info.includes('"max-deleted-entry-id","0-0"')).length).toBeGreaterThan(5);
  });

  test('a database of two digits, and only that one', async () => {
    await connection.call('FLUSHALL');
    await seedDataset(one.endpoint, { ...PLAN, database: 11, keys: 50, corners: false }, { seed: 4 });
    expect(replyText(await connection.call('INFO', 'keyspace'))).toMatch(/db11:keys=50,/);
    expect((await keysOf(connection, 0)).length).toBe(0);
  });

  test('two items of one seed do not mirror each other', async () => {
    await connection.call('FLUSHALL');
    const plan = { ...PLAN, types: { string: 1 }, keys: 200, corners: false };
    await seedDataset(one.endpoint, { ...plan, prefix: 'a:' }, { seed: 1 });
    await seedDataset(one.endpoint, { ...plan, prefix: 'b:' }, { seed: 1 });
    const keys = await keysOf(connection, 0);
    const values = await connection.pipeline(keys.map((key) => ['GET', key]));
    expect(new Set(values.map(replyText)).size).toBeGreaterThan(370);
  });

  test('keys are binary-safe: tagged and non-UTF-8 names are among them, every name with the prefix', async () => {
    await connection.call('FLUSHALL');
    await seedDataset(one.endpoint, { ...PLAN, corners: false }, { seed: 5 });
    const keys = await keysOf(connection, 0);
    expect(keys.every((key) => key.toString('latin1').startsWith('app:'))).toBe(true);
    expect(keys.filter((key) => key.includes('{')).length).toBeGreaterThan(20);
    expect(keys.filter((key) => !Buffer.from(key.toString()).equals(key)).length).toBeGreaterThan(10);
  });

  test('progress never goes back and ends complete', async () => {
    await connection.call('FLUSHALL');
    const seen: number[] = [];
    const plan = { ...PLAN, keys: 25_000, types: { string: 1 }, corners: false };
    await seedDataset(one.endpoint, plan, { seed: 5, onProgress: ({ keys }) => seen.push(keys) });
    expect(seen).toEqual([10_000, 20_000, 25_000]);
  });

  test('a server that refuses ends the seeding with its words and the command', async () => {
    await using full = await startServer({ maxmemory: '2mb', 'maxmemory-policy': 'noeviction' });
    await expect(seedDataset(full.endpoint, PLAN, { seed: 1 })).rejects.toMatchObject({
      code: 'TARGET_NOT_WRITABLE',
      message: expect.stringContaining('OOM'),
    });
  });

  test('a database that does not exist is refused', async () => {
    await expect(seedDataset(one.endpoint, { ...PLAN, database: 16 }, { seed: 1 })).rejects.toThrow(
      /out of range/,
    );
  });

  test('an abort ends it', async () => {
    // A server of its own: it may still be working on what had been sent.
    await using server = await startServer();
    const controller = new AbortController();
    const plan = { ...PLAN, keys: 500_000, types: { string: 1 }, corners: false };
    const seeding = seedDataset(server.endpoint, plan, {
      seed: 1,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(seeding).rejects.toMatchObject({ code: 'ABORTED' });
  });
});

async function scoreOf(key: string, member: string): Promise<string> {
  return replyText(await connection.call('ZSCORE', `app:corner:zset:${key}`, member));
}

describe('corner keys', () => {
  let names: string[];

  beforeAll(async () => {
    await connection.call('FLUSHALL');
    await seedDataset(one.endpoint, { ...PLAN, keys: 0 }, { seed: 1 });
    names = (await keysOf(connection, 0)).map((key) => key.toString('latin1'));
  });

  test('are as many as stated, and the empty key is one', () => {
    expect(names.length).toBe(CORNER_COUNT);
    expect(names.filter((name) => !name.startsWith('app:corner:'))).toEqual(['']);
  });

  test.each([
    ['string:int:9223372036854775807', 'int'],
    ['string:not-int:9223372036854775808', 'embstr'],
    ['string:not-int:007', 'embstr'],
    ['string:length:44', 'embstr'],
    ['string:length:45', 'raw'],
    ['string:appended', 'raw'],
    ['hash:listpack-512', 'listpack'],
    ['hash:table-513', 'hashtable'],
    ['hash:listpack-64-bytes', 'listpack'],
    ['hash:table-65-bytes', 'hashtable'],
    ['set:intset-512', 'intset'],
    ['set:table-513-integers', 'hashtable'],
    ['set:table-129', 'hashtable'],
    ['zset:listpack-128', 'listpack'],
    ['zset:skiplist-129', 'skiplist'],
    ['zset:listpack-64-bytes', 'listpack'],
    ['zset:skiplist-65-bytes', 'skiplist'],
  ])('%s is %s', async (key, encoding) => {
    expect(replyText(await connection.call('OBJECT', 'ENCODING', `app:corner:${key}`))).toBe(encoding);
  });

  test('scores keep infinities, the sign of zero and 17 digits', async () => {
    for (const special of ['inf', '-inf', '3.1415926535897931', '0.30000000000000004']) {
      expect(await scoreOf('special-scores', `score ${special}`)).toBe(special);
    }
    // A listpack keeps whole scores as integers and so loses the sign; a skiplist does not.
    expect(await scoreOf('skiplist-special', 'zero')).toBe('-0');
  });

  test('HyperLogLogs are sparse and dense', async () => {
    const sizes = await connection.pipeline(
      ['sparse', 'dense'].map((form) => ['STRLEN', `app:corner:hyperloglog:${form}`]),
    );
    expect(sizes[0]).toBeLessThan(3000);
    expect(sizes[1]).toBe(12_304);
  });

  test('a pending entry may have been deleted', async () => {
    const key = 'app:corner:stream:pending-of-a-deleted-entry';
    const [pending, length] = await connection.pipeline([
      ['XPENDING', key, 'g', '-', '+', 10],
      ['XLEN', key],
    ]);
    expect([Array.isArray(pending) ? pending.length : 0, length]).toEqual([3, 2]);
  });
});

test('the bench set has the designed proportions and sizes', async () => {
  await connection.call('FLUSHALL');
  await connection.call('SELECT', 0);
  const result = await seedBenchSet(one.endpoint, 2000, 1);
  expect(result.perType).toEqual({ string: 1200, hash: 200, list: 200, set: 200, zset: 200 });
  expect(await connection.call('DBSIZE')).toBe(2000);
  const sizes = await connection.pipeline([
    ['STRLEN', 'string:0'],
    ['HLEN', 'hash:6'],
    ['LLEN', 'list:7'],
    ['SCARD', 'set:8'],
    ['ZCARD', 'zset:9'],
  ]);
  expect(sizes[0]).toBe(64);
  for (const size of sizes.slice(1)) expect([8, 9, 10]).toContain(size);
});
