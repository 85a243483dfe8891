/** What is on a source before the full sync: every type in every encoding it can write, awkward keys, and large values. */
import { Connection } from '../../engine/connect/connection.ts';
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import { DATA_TYPES } from '../../scenarios/data/dataset.ts';
import { seedDataset } from '../../scenarios/data/seeding.ts';
import { fillEveryType } from '../engine/rdb/every-type.ts';

const LARGE_STRING_BYTES = 6 * 1024 * 1024;
/** Times their length: above what the engine keeps in memory whole (4 MiB). */
const LARGE_ELEMENTS = 30_000;
const ELEMENT_BYTES = 160;

/** Fills an empty server with ≥ 20 databases. */
export async function fillSource(endpoint: Endpoint, keys: number): Promise<void> {
  await using connection = await Connection.open(endpoint);
  await fillEveryType(connection);
  await fillLarge(connection);
  for (const database of [0, 12]) {
    await seedDataset(
      endpoint,
      {
        into: [],
        database,
        keys,
        types: Object.fromEntries(DATA_TYPES.map((type) => [type, 1])),
        prefix: 'seed:',
        ttl: { share: 0.2, betweenMs: [3_600_000, 7_200_000] },
        values: { median: 64, p99: 4096 },
        elements: { median: 10, p99: 300 },
        corners: true,
      },
      { seed: database + 1 },
    );
  }
}

/** Values that are built up in parts. */
async function fillLarge(connection: Connection): Promise<void> {
  const noise = makeNoise(LARGE_STRING_BYTES);
  const text = noise.toString('base64');
  await connection.call('SET', 'large:string', noise);
  await connection.call('SET', 'large:zeros', Buffer.alloc(LARGE_STRING_BYTES));
  for (let from = 0; from < LARGE_ELEMENTS; from += 1000) {
    const numbers = Array.from({ length: 1000 }, (_, index) => from + index);
    const elements = numbers.map((number) =>
      text.slice(number * ELEMENT_BYTES, (number + 1) * ELEMENT_BYTES),
    );
    await connection.pipeline([
      ['ZADD', 'large:zset', ...elements.flatMap((element, index) => [(from + index) / 7, element])],
      ['RPUSH', 'large:list', ...elements],
      ['HSET', 'large:hash', ...elements.flatMap((element, index) => [element, from + index])],
      ['SADD', 'large:set', ...elements],
    ]);
  }
  await connection.call('PEXPIREAT', 'large:zset', 4_102_444_800_123);
}

/** Bytes that do not compress, the same every time. */
function makeNoise(length: number): Buffer {
  const noise = Buffer.alloc(length);
  for (let at = 0, state = 7; at < length; at += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    noise.writeUInt32LE(state, at);
  }
  return noise;
}
