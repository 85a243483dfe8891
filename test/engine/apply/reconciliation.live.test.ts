import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Reconciliation, type Removed } from '../../../engine/apply/reconciliation.ts';
import { isEmpty, otherLinks } from '../../../engine/apply/target-contents.ts';
import { Target } from '../../../engine/apply/target.ts';
import { Connection, type Argument } from '../../../engine/connect/connection.ts';
import { textOf } from '../../../engine/resp/reply-text.ts';
import { startServer, type TestServer } from '../../support/server.ts';

const KEYS = 5000;

let server: TestServer;
let connection: Connection;
let folder: string;
let target: Target;
const { signal } = new AbortController();

beforeAll(async () => {
  server = await startServer();
  connection = await Connection.open(server.endpoint);
});
afterAll(async () => {
  await connection.close();
  await server.stop();
});
beforeEach(async () => {
  await connection.call('FLUSHALL');
  await connection.tryCall('FUNCTION', 'FLUSH');
  folder = await mkdtemp(join(tmpdir(), 'redis-sync-reconcile-'));
  target = new Target({
    endpoint: server.endpoint,
    name: 'redis-sync:test',
    replyTimeoutMs: 5000,
    retryMs: 10_000,
    random: () => 0,
    now: () => performance.now(),
    onWaiting: () => undefined,
    onWorking: () => undefined,
  });
});
afterEach(async () => {
  await target.close();
  const leftovers = await readdir(folder);
  await rm(folder, { recursive: true });
  if (leftovers.length > 0) throw new Error(`left behind: ${leftovers.join(', ')}`);
});

/** Keys in databases 0 and 12, some of them binary, one empty, one huge; beside keys of the engine itself. */
async function fill(): Promise<void> {
  const values = Array.from({ length: KEYS }, (_, index): Argument[] => ['SET', keyAt(index), index]);
  const own = [
    ['SET', 'redis-sync:link:a', '1'],
    ['SET', 'redis-sync:', '1'],
  ];
  await connection.pipeline([...values, ...own, ['SELECT', 12], ...values, ...own, ['SELECT', 0]]);
}

function keyAt(index: number): Buffer {
  if (index === 0) return Buffer.alloc(0);
  if (index === 1) return Buffer.alloc(100_000, 'k');
  return Buffer.from([index >> 8, index & 255, 0, 13, 10]);
}

function library(name: string): Buffer {
  return Buffer.from(`#!lua name=${name}\nredis.register_function('${name}', function() return 1 end)`);
}

/** A snapshot that has every second key of database 0 and every third of database 12. */
async function reconcile(memoryBytesMax: number): Promise<Removed> {
  const reconciliation = new Reconciliation({ folder, diskBytesMax: 1 << 30, memoryBytesMax });
  for (let index = 0; index < KEYS; index++) {
    if (index % 2 === 0) reconciliation.keep(0, keyAt(index));
    if (index % 3 === 0) reconciliation.keep(12, keyAt(index));
    await reconciliation.room();
  }
  try {
    return await reconciliation.removeOthers(target, signal);
  } finally {
    await reconciliation.close();
  }
}

/** Indexes of the keys that are left in a database. */
async function left(database: number): Promise<number[]> {
  await connection.call('SELECT', database);
  const values = await connection.pipeline(Array.from({ length: KEYS }, (_, index) => ['GET', keyAt(index)]));
  await connection.call('SELECT', 0);
  return values.flatMap((value, index) => (value === null ? [] : [index]));
}

const multiples = (of: number): number[] =>
  Array.from({ length: KEYS }, (_, index) => index).filter((index) => index % of === 0);

describe('Reconciliation', () => {
  for (const [name, memoryBytesMax] of [
    ['in one pass', 32 * 1024 * 1024],
    ['in groups that fit into memory', 12_000],
    ['with memory for a single partition', 1],
  ] as const) {
    it(`deletes exactly what was not kept, in every database, ${name}`, async () => {
      await fill();
      const removed = await reconcile(memoryBytesMax);
      expect(await left(0)).toEqual(multiples(2));
      expect(await left(12)).toEqual(multiples(3));
      expect(removed.keys).toBe(2 * KEYS - multiples(2).length - multiples(3).length);
      await connection.call('SELECT', 12);
      expect(await connection.call('EXISTS', 'redis-sync:link:a', 'redis-sync:')).toBe(2);
      await connection.call('SELECT', 0);
      expect(await connection.call('EXISTS', 'redis-sync:link:a', 'redis-sync:')).toBe(2);
    });
  }

  it('starts over when its connection breaks, and deletes nothing too much', async () => {
    await fill();
    let kills = 0;
    const killing = (async () => {
      while (kills < 5)
        kills += Number(await connection.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'));
    })();
    await reconcile(12_000);
    kills = 5;
    await killing;
    expect(await left(0)).toEqual(multiples(2));
    expect(await left(12)).toEqual(multiples(3));
  });

  it('deletes everything but its own keys when the snapshot had none', async () => {
    await fill();
    const reconciliation = new Reconciliation({ folder, diskBytesMax: 1 << 30 });
    await reconciliation.removeOthers(target, signal);
    await reconciliation.close();
    expect(await isEmpty(connection)).toBe(true);
    expect(await connection.call('DBSIZE')).toBe(2);
  });

  it('deletes function libraries that were not kept', async () => {
    await connection.pipeline([
      ['FUNCTION', 'LOAD', library('kept')],
      ['FUNCTION', 'LOAD', library('gone')],
    ]);
    const reconciliation = new Reconciliation({ folder, diskBytesMax: 1 << 30 });
    reconciliation.keepLibrary(library('kept'));
    expect(await reconciliation.removeOthers(target, signal)).toEqual({ keys: 0, libraries: 1 });
    await reconciliation.close();
    expect(textOf(await connection.call('FUNCTION', 'LIST'))).toMatch(/kept/);
    expect(textOf(await connection.call('FUNCTION', 'LIST'))).not.toMatch(/gone/);
  });

  it('stops where the target refuses for good, and leaves no file behind', async () => {
    await fill();
    await connection.call('ACL', 'SETUSER', 'app', 'on', '>pw', '~*', '+@all', '-unlink');
    const limited = new Target({
      endpoint: { ...server.endpoint, username: 'app', password: 'pw' },
      name: 'x',
      replyTimeoutMs: 5000,
      retryMs: 0,
      random: () => 0,
      now: () => performance.now(),
      onWaiting: () => undefined,
      onWorking: () => undefined,
    });
    const reconciliation = new Reconciliation({ folder, diskBytesMax: 1 << 30, memoryBytesMax: 1 });
    reconciliation.keep(0, Buffer.from('x'));
    await expect(reconciliation.removeOthers(limited, signal)).rejects.toMatchObject({
      message: expect.stringContaining('UNLINK'),
    });
    await reconciliation.close();
    await limited.close();
    expect(await left(0)).toHaveLength(KEYS);
  });
});

describe('what is on a target', () => {
  it('is empty with nothing but our own keys, in whatever database', async () => {
    expect(await isEmpty(connection)).toBe(true);
    await connection.pipeline([
      ['SET', 'redis-sync:x', 1],
      ['SELECT', 9],
      ['SET', 'redis-sync:y', 1],
      ['SELECT', 0],
    ]);
    expect(await isEmpty(connection)).toBe(true);
    await connection.pipeline([
      ['SELECT', 9],
      ['SET', 'redis-synC:y', 1],
      ['SELECT', 0],
    ]);
    expect(await isEmpty(connection)).toBe(false);
  });

  it('names other links by their checkpoints and their halves of full syncs', async () => {
    await connection.pipeline([
      ['SET', 'redis-sync:link:me', 1],
      ['SET', 'redis-sync:loading:me', 1],
      ['SET', 'redis-sync:fence:other', 1],
    ]);
    expect(await otherLinks(connection, 'me')).toEqual([]);
    await connection.pipeline([
      ['SET', 'redis-sync:link:other', 1],
      ['SET', 'redis-sync:loading:third', 1],
    ]);
    expect((await otherLinks(connection, 'me')).toSorted()).toEqual([
      'redis-sync:link:other',
      'redis-sync:loading:third',
    ]);
  });
});
