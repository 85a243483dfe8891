/** The bytes of a batch are what a real server takes: every value comes out as it was dumped. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RestoreBatchBuilder, type RestoreBatch } from '../../../engine/apply/restore-batch.ts';
import { Connection, type Argument } from '../../../engine/connect/connection.ts';
import { splitDumpPayload } from '../../../engine/rdb/dump-payload.ts';
import type { RawEntry } from '../../../engine/rdb/entry.ts';
import { CommandFramer } from '../../../engine/resp/command-framer.ts';
import { ReplyError } from '../../../engine/resp/reply.ts';
import { startServer, type TestServer } from '../../support/server.ts';

const FAR_MS = 4_102_444_800_123;

let server: TestServer;
let connection: Connection;
let version = 0;

beforeAll(async () => {
  server = await startServer({ 'maxmemory-policy': 'allkeys-lfu' });
  connection = await Connection.open(server.endpoint);
});
afterAll(async () => {
  await connection.close();
  await server.stop();
});
beforeEach(() => connection.call('FLUSHALL'));

/** A key as the snapshot reader would hand it out. */
async function entryOf(key: Buffer, changes: Partial<RawEntry> = {}): Promise<RawEntry> {
  const payload = await connection.call('DUMP', key);
  if (!Buffer.isBuffer(payload)) throw new Error('nothing to dump');
  const { type, value, version: stamped } = splitDumpPayload(payload);
  version = stamped;
  return { database: 0, key, type, value, expireAtMs: -1, idleSeconds: -1, frequency: -1, ...changes };
}

async function send(batch: RestoreBatch): Promise<void> {
  const replies = await connection.pipelineRaw(batch.bytes, batch.replies);
  expect(replies.filter((reply) => reply instanceof ReplyError)).toEqual([]);
  expect(await connection.call('PING')).toBe('PONG');
}

function namesIn(bytes: Buffer): string[] {
  const names: string[] = [];
  new CommandFramer(({ buffer, argStart, argEnd }) =>
    names.push(buffer.toString('latin1', argStart[0], argEnd[0])),
  ).push(bytes);
  return names;
}

describe('RestoreBatchBuilder', () => {
  it('restores values of every type and size byte for byte, over what was there, with their expiry', async () => {
    const values: Record<string, Argument[]> = {
      '': ['SET', ''],
      '\0\r\n\xff': ['SET', Buffer.from([255, 0, 13, 10])],
      list: ['RPUSH', ...Array.from({ length: 500 }, (_, index) => `element ${index}`)],
      hash: ['HSET', 'f', 'v'],
      zset: ['ZADD', 'inf', 'a', '-0', 'b'],
      stream: ['XADD', '1-1', 'f', 'v'],
      big: ['SET', 'x'.repeat(300_000)],
      ['k'.repeat(3000)]: ['SET', 1],
    };
    const keys = Object.keys(values).map((key) => Buffer.from(key, 'latin1'));
    await connection.pipeline(
      Object.values(values).map(([name = '', ...rest], index) => [name, keys[index] ?? '', ...rest]),
    );
    const builder = new RestoreBatchBuilder(2048);
    const batches: RestoreBatch[] = [];
    const dumps = await connection.pipeline(keys.map((each) => ['DUMP', each]));
    for (const [index, each] of keys.entries()) {
      const entry = await entryOf(each, {
        database: index % 2 === 0 ? 0 : 12,
        expireAtMs: index === 2 ? FAR_MS : -1,
      });
      builder.add(entry, version);
      if (builder.full) batches.push(builder.take());
    }
    batches.push(builder.take());
    expect(batches.length).toBeGreaterThan(1);
    expect(batches.reduce((sum, batch) => sum + batch.keys, 0)).toBe(keys.length);
    await connection.call('FLUSHALL');
    await connection.pipeline([
      ['SET', 'list', 'in the way'],
      ['RPUSH', '', 'in the way'],
    ]);
    // Twice: a batch may be sent again.
    for (const batch of [...batches, ...batches]) await send(batch);
    for (const [index, each] of keys.entries()) {
      await connection.call('SELECT', index % 2 === 0 ? 0 : 12);
      expect(await connection.call('DUMP', each)).toEqual(dumps[index]);
      expect(await connection.call('PEXPIRETIME', each)).toBe(index === 2 ? FAR_MS : -1);
    }
    await connection.call('SELECT', 0);
  });

  it('carries LFU frequency and LRU idle time, unless the target is too old for them', async () => {
    await connection.call('SET', 'k', 'v');
    const entry = await entryOf(Buffer.from('k'), { frequency: 200 });
    const builder = new RestoreBatchBuilder(1024);
    builder.add(entry, version);
    await send(builder.take());
    expect(Number(await connection.call('OBJECT', 'FREQ', 'k'))).toBeGreaterThan(150);
    await connection.call('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    builder.add({ ...entry, frequency: -1, idleSeconds: 4000 }, version);
    await send(builder.take());
    expect(Number(await connection.call('OBJECT', 'IDLETIME', 'k'))).toBeGreaterThanOrEqual(4000);
    const old = new RestoreBatchBuilder(1024, false);
    old.add({ ...entry, idleSeconds: 4000 }, version);
    expect(old.take().bytes.toString('latin1')).not.toMatch(/IDLETIME|FREQ/);
    await connection.call('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lfu');
  });

  it('says SELECT at the beginning of each batch and where the database changes, and counts the replies', async () => {
    await connection.call('SET', 'k', 'v');
    const entry = await entryOf(Buffer.from('k'));
    const builder = new RestoreBatchBuilder(4096);
    for (const database of [5, 5, 12, 5]) builder.add({ ...entry, database }, version);
    const first = builder.take();
    expect(namesIn(first.bytes)).toEqual([
      'SELECT',
      'RESTORE',
      'RESTORE',
      'SELECT',
      'RESTORE',
      'SELECT',
      'RESTORE',
    ]);
    expect([first.replies, first.keys]).toEqual([7, 4]);
    builder.add({ ...entry, database: 5 }, version);
    const second = builder.take();
    expect(namesIn(second.bytes)).toEqual(['SELECT', 'RESTORE']);
    expect([builder.empty, builder.full]).toEqual([true, false]);
  });

  it('leaves a batch as it is until it is released', async () => {
    await connection.call('SET', 'k', 'v');
    const entry = await entryOf(Buffer.from('k'));
    const builder = new RestoreBatchBuilder(4096);
    builder.add(entry, version);
    const first = builder.take();
    const before = Buffer.from(first.bytes);
    for (let index = 0; index < 10; index++)
      builder.add({ ...entry, key: Buffer.from(`other ${index}`) }, version);
    const second = builder.take();
    expect(first.bytes.equals(before)).toBe(true);
    first.release();
    builder.add({ ...entry, key: Buffer.from('third') }, version);
    builder.take();
    builder.add({ ...entry, key: Buffer.from('fourth') }, version);
    expect(namesIn(second.bytes)).toHaveLength(11);
  });
});
