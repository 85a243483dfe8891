/** Fills a server with a dataset: the same plan and seed send the same bytes, in the same order. */
import assert from 'node:assert/strict';
import { Connection } from '../../engine/connect/connection.ts';
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import { BulkSender } from './bulk-sender.ts';
import { CommandWriter } from './command-writer.ts';
import { writeCorners } from './corners.ts';
import type { DataType, DatasetPlan } from './dataset.ts';
import { KeyNames } from './key-names.ts';
import type { Placement } from './placement.ts';
import { Random } from './random.ts';
import { SizeTable } from './sizes.ts';
import { makeTextPool } from './text-pool.ts';
import { TYPE_SEEDERS } from './type-registry.ts';
import type { SeedContext } from './type-seeder.ts';
import { shareKeys, TypeDealer } from './type-shares.ts';

export interface SeedOptions {
  seed: number;
  signal?: AbortSignal;
  /** Where the dataset's keys are, and which of these places the endpoint is; only its keys are created. */
  share?: { placement: Placement; instance: string; among: readonly string[] };
  /** Called about every 10,000 keys. */
  onProgress?: (progress: { keys: number; total: number; bytes: number }) => void;
}

export interface SeedResult {
  /** Keys created: those of the plan and the corner keys, as far as they belong to this endpoint. */
  keys: number;
  /** How many of them are corner keys. */
  corners: number;
  /** Bytes sent. */
  bytes: number;
  /** Keys by data type, corner keys under `corner`. */
  perType: Record<string, number>;
  durationMs: number;
}

const PROGRESS_EVERY = 10_000;
/** A group with a single slot of 1024 gets a name in far fewer. */
const NAME_ATTEMPTS = 100_000;

/**
 * Creates exactly `plan.keys` keys in `plan.database`, plus the corner keys if the plan wants them. Expects none of them
 * to exist. `plan.into` is the caller's business: call once per endpoint, with the endpoint's `share` of several. Together
 * these have exactly the plan's keys; of corner keys only those that belong to one of them.
 *
 * @throws SyncError CONNECT, AUTH; what the server refused (unknown command, OOM, no such database); ABORTED.
 */
export async function seedDataset(
  endpoint: Endpoint,
  plan: DatasetPlan,
  options: SeedOptions,
): Promise<SeedResult> {
  const startedMs = performance.now();
  await using connection = await Connection.open(endpoint, {
    name: 'redis-sync-seed',
    ...(options.signal ? { signal: options.signal } : {}),
  });
  await connection.call('SELECT', plan.database);
  const out = new CommandWriter();
  const sender = new BulkSender(connection, out, options.signal);
  const written = new Map<string, number>();
  let made = 0;
  for (const type of plannedKeys(plan, options, out)) {
    if (type !== undefined) written.set(type, (written.get(type) ?? 0) + 1);
    if (sender.batchIsFull) await sender.flush();
    if (++made % PROGRESS_EVERY === 0)
      options.onProgress?.({ keys: made, total: plan.keys, bytes: sender.bytes });
  }
  const corners = plan.corners ? writeCorners(out, plan.prefix, (key) => isOwn(key, options.share)) : 0;
  if (corners > 0) written.set('corner', corners);
  await sender.finish();
  options.onProgress?.({ keys: plan.keys, total: plan.keys, bytes: sender.bytes });
  return {
    keys: [...written.values()].reduce((total, keys) => total + keys, 0),
    corners,
    bytes: sender.bytes,
    perType: Object.fromEntries(written),
    durationMs: performance.now() - startedMs,
  };
}

function isOwn(key: Buffer, share: SeedOptions['share']): boolean {
  return share === undefined || share.placement(key) === share.instance;
}

/**
 * Writes the commands of one key after the other into `out`; yields the type of each, undefined for a key that belongs to
 * another endpoint.
 */
function* plannedKeys(
  plan: DatasetPlan,
  { seed, share }: SeedOptions,
  out: CommandWriter,
): Generator<DataType | undefined> {
  const pool = makeTextPool(seed);
  // Two items of a spec with one seed must not mirror each other: what tells them apart is part of the seed.
  const random = new Random(seed, 'dataset', plan.prefix, plan.database);
  // Endpoints that share the keys must come to the same names whatever they write between them.
  const naming = share === undefined ? random : new Random(seed, 'names', plan.prefix, plan.database);
  const names = new KeyNames(plan.prefix, pool, naming);
  const dealer = new TypeDealer(shareKeys(plan.keys, plan.types), naming);
  const context: SeedContext = {
    out,
    random,
    pool,
    valueSizes: new SizeTable(plan.values, 0),
    elementSizes: new SizeTable(elementSizes(plan.values), 1),
    elementCounts: new SizeTable(plan.elements, 1),
  };
  for (let index = 0; index < plan.keys; index++) {
    const type = dealer.next();
    const seeder = TYPE_SEEDERS[type];
    const key = makeName(names, seeder.noun, index, share);
    if (!isOwn(key, share)) {
      yield undefined;
      continue;
    }
    seeder.write(key, context);
    if (random.chance(plan.ttl.share)) {
      // Relative, not absolute: the bytes must not depend on the day.
      out.command('PEXPIRE', key, random.between(...plan.ttl.betweenMs));
    }
    yield type;
  }
}

/** A name that belongs to one of the endpoints that share the keys; some groups of a Codis cluster do not have every slot. */
function makeName(names: KeyNames, noun: string, index: number, share: SeedOptions['share']): Buffer {
  for (let attempt = 1; ; attempt++) {
    const key = names.make(noun, index);
    const owner = share?.placement(key);
    if (share === undefined || (owner !== undefined && share.among.includes(owner))) return key;
    assert(attempt < NAME_ATTEMPTS, 'the instances of a dataset have slots');
  }
}

/** Elements are smaller than whole values: a list of a hundred 8 KB values is a megabyte. See `DatasetPlan.values`. */
function elementSizes(values: DatasetPlan['values']): DatasetPlan['values'] {
  const median = Math.max(1, values.median / 4);
  return { median, p99: Math.max(median, values.p99 / 16) };
}
