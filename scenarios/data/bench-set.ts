/**
 * The dataset of the benchmarks: 60 % strings of 64 bytes, 10 % each hashes, lists, sets and zsets with 8 to 10 elements.
 * The same set every speed in the README is measured with.
 */
import { Connection } from '../../engine/connect/connection.ts';
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import { BulkSender } from './bulk-sender.ts';
import { CommandWriter } from './command-writer.ts';
import { Random } from './random.ts';
import type { SeedResult } from './seeding.ts';

const STRING_BYTES = 64;
const POOL_BYTES = 1 << 18;
const ALPHABET = Buffer.from('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_', 'latin1');

const KINDS = [
  'string',
  'string',
  'string',
  'string',
  'string',
  'string',
  'hash',
  'list',
  'set',
  'zset',
] as const;
type Kind = (typeof KINDS)[number];

export interface BenchSetOptions {
  /** Of the set only the keys that this is true for: those of one shard of a cluster. */
  isHere?: (key: string) => boolean;
  signal?: AbortSignal;
}

/**
 * Creates `keys` keys named `<kind>:<number>` in database 0 of an empty server. Incompressible text values, no TTL.
 *
 * @throws SyncError as `seedDataset`.
 */
export async function seedBenchSet(
  endpoint: Endpoint,
  keys: number,
  seed: number,
  { signal, isHere }: BenchSetOptions = {},
): Promise<SeedResult> {
  const startedMs = performance.now();
  await using connection = await Connection.open(endpoint, {
    name: 'redis-sync-seed',
    ...(signal ? { signal } : {}),
  });
  const out = new CommandWriter();
  const sender = new BulkSender(connection, out, signal);
  const random = new Random(seed, 'bench-set');
  const pool = Buffer.from(
    Uint8Array.from({ length: POOL_BYTES }, () => ALPHABET[random.next() >>> 26] ?? 0),
  );
  const perType: Record<Kind, number> = { string: 0, hash: 0, list: 0, set: 0, zset: 0 };
  let written = 0;
  for (let index = 0; index < keys; index++) {
    const kind = KINDS[index % KINDS.length] ?? 'string';
    const key = `${kind}:${index}`;
    if (isHere?.(key) === false) continue;
    perType[kind]++;
    written++;
    writeKey(out, kind, key, random, pool);
    if (sender.batchIsFull) await sender.flush();
  }
  await sender.finish();
  return {
    keys: written,
    corners: 0,
    bytes: sender.bytes,
    perType,
    durationMs: performance.now() - startedMs,
  };
}

const COMMANDS: Record<Kind, { name: string; wordsPerElement: number }> = {
  string: { name: 'SET', wordsPerElement: 1 },
  hash: { name: 'HMSET', wordsPerElement: 2 },
  list: { name: 'RPUSH', wordsPerElement: 1 },
  set: { name: 'SADD', wordsPerElement: 1 },
  zset: { name: 'ZADD', wordsPerElement: 2 },
};

function writeKey(out: CommandWriter, kind: Kind, key: string, random: Random, pool: Buffer): void {
  const { name, wordsPerElement } = COMMANDS[kind];
  const elements = kind === 'string' ? 1 : 8 + random.below(3);
  out.begin(2 + elements * wordsPerElement);
  out.ascii(name);
  out.ascii(key);
  if (kind === 'string') {
    out.slice(pool, random.below(POOL_BYTES), STRING_BYTES);
    return;
  }
  for (let element = 0; element < elements; element++) {
    if (kind === 'hash') out.ascii(FIELDS[element] ?? 'field');
    if (kind === 'zset') out.integer(random.below(1_000_000));
    out.numberedSlice(element, pool, random.below(POOL_BYTES), 16);
  }
}

const FIELDS = Array.from({ length: 10 }, (_, index) => `field-${index}`);
