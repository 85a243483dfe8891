/** The fast digest of serialized bytes against its definition over decoded values, on everything the seeder can make. */
import { expect, test } from 'vitest';
import { PayloadDigester } from '../../../../engine/compare/digest/payload-digest.ts';
import { digestValue } from '../../../../engine/compare/digest/value-digest.ts';
import { Connection } from '../../../../engine/connect/connection.ts';
import { decodeValue } from '../../../../engine/rdb/decode.ts';
import { splitDumpPayload } from '../../../../engine/rdb/dump-payload.ts';
import { SyncError } from '../../../../engine/errors.ts';
import { seedDataset } from '../../../../scenarios/data/seeding.ts';
import { startServer } from '../../../support/server.ts';

async function payloads(): Promise<Buffer[]> {
  await using server = await startServer();
  await seedDataset(
    server.endpoint,
    {
      into: [],
      database: 0,
      keys: 2000,
      types: { string: 1, hash: 1, list: 1, set: 1, zset: 1, stream: 1, hyperloglog: 1, bitmap: 1, geo: 1 },
      prefix: 'k:',
      ttl: { share: 0, betweenMs: [1, 2] },
      values: { median: 20, p99: 400 },
      elements: { median: 8, p99: 700 },
      corners: true,
    },
    { seed: 7 },
  );
  await using connection = await Connection.open(server.endpoint);
  const keys = await connection.call('KEYS', '*');
  const dumps = await connection.pipeline(
    Array.isArray(keys) ? keys.map((key) => ['DUMP', asBuffer(key)]) : [],
  );
  return dumps.map(asBuffer);
}

function asBuffer(reply: unknown): Buffer {
  if (!Buffer.isBuffer(reply)) throw new Error('not bytes');
  return reply;
}

test('the fast digest is the digest', async () => {
  const digester = new PayloadDigester();
  const [fast, defined] = [new Int32Array(4), new Int32Array(4)];
  const types = new Set<number>();
  const digests = new Set<string>();
  const all = await payloads();
  for (const payload of all) {
    const { type, value } = splitDumpPayload(payload);
    types.add(type);
    digester.digest(type, payload, 1, 1 + value.length, fast);
    digestValue(decodeValue(type, value), defined);
    expect([...fast]).toEqual([...defined]);
    digests.add(fast.join());
  }
  expect(all.length).toBeGreaterThan(2000);
  // Every encoding 7.0 writes: string, set, zset, hash as tables; intset; listpacks; quicklist; stream.
  expect([...types].toSorted((a, b) => a - b)).toEqual([0, 2, 4, 5, 11, 16, 17, 18, 19]);
  expect(digests.size).toBeGreaterThan(1800);
});

test('bytes that are cut or flipped are refused or give another digest, and never hang', async () => {
  const digester = new PayloadDigester();
  const lanes = new Int32Array(4);
  const attempt = (type: number, value: Buffer): string => {
    try {
      digester.digest(type, value, 0, value.length, lanes);
      return lanes.join();
    } catch (error) {
      if (error instanceof SyncError && error.code === 'SNAPSHOT_CORRUPT') return 'refused';
      throw error;
    }
  };
  for (const payload of (await payloads()).filter(({ length }) => length < 300).slice(0, 400)) {
    const { type, value } = splitDumpPayload(payload);
    const whole = attempt(type, value);
    for (let cut = 0; cut < value.length; cut += 3)
      expect(attempt(type, value.subarray(0, cut))).not.toBe(whole);
    for (let at = 0; at < value.length; at += 5) {
      const flipped = Buffer.from(value);
      flipped[at] = (flipped[at] ?? 0) ^ 0x55;
      attempt(type, flipped);
    }
  }
});
