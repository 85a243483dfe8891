/** Fills a server with a dataset: the same plan and seed send the same bytes, in the same order. */
import { Connection } from '../../engine/connect/connection.ts';
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import { BulkSender } from './bulk-sender.ts';
import { CommandWriter } from './command-writer.ts';
import { writeCorners } from './corners.ts';
import type { DataType, DatasetPlan } from './dataset.ts';
import { KeyNames } from './key-names.ts';
import { Random } from './random.ts';
import { SizeTable } from './sizes.ts';
import { makeTextPool } from './text-pool.ts';
import { TYPE_SEEDERS } from './type-registry.ts';
import type { SeedContext } from './type-seeder.ts';
import { shareKeys, TypeDealer } from './type-shares.ts';

export interface SeedOptions {
  seed: number;
  signal?: AbortSignal;
  /** Called about every 10,000 keys. */
  onProgress?: (progress: { keys: number; total: number; bytes: number }) => void;
}

export interface SeedResult {
  /** Keys created: those of the plan and the corner keys. */
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

/**
 * Creates exactly `plan.keys` keys in `plan.database`, plus the corner keys if the plan wants them. Expects none of them
 * to exist. `plan.into` is the caller's business: call once per endpoint.
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
  const shares = shareKeys(plan.keys, plan.types);
  for (const key of plannedKeys(plan, options.seed, out, shares)) {
    if (sender.batchIsFull) await sender.flush();
    if (key % PROGRESS_EVERY === 0)
      options.onProgress?.({ keys: key, total: plan.keys, bytes: sender.bytes });
  }
  const corners = plan.corners ? writeCorners(out, plan.prefix) : 0;
  await sender.finish();
  options.onProgress?.({ keys: plan.keys, total: plan.keys, bytes: sender.bytes });
  return {
    keys: plan.keys + corners,
    corners,
    bytes: sender.bytes,
    perType: { ...Object.fromEntries(shares), ...(corners > 0 ? { corner: corners } : {}) },
    durationMs: performance.now() - startedMs,
  };
}

/** Writes the commands of one key after the other into `out`; yields the number of keys written so far. */
function* plannedKeys(
  plan: DatasetPlan,
  seed: number,
  out: CommandWriter,
  shares: ReadonlyMap<DataType, number>,
): Generator<number> {
  const pool = makeTextPool(seed);
  // Two items of a spec with one seed must not mirror each other: what tells them apart is part of the seed.
  const random = new Random(seed, 'dataset', plan.prefix, plan.database);
  const names = new KeyNames(plan.prefix, pool, random);
  const dealer = new TypeDealer(shares, random);
  const context: SeedContext = {
    out,
    random,
    pool,
    valueSizes: new SizeTable(plan.values, 0),
    elementSizes: new SizeTable(elementSizes(plan.values), 1),
    elementCounts: new SizeTable(plan.elements, 1),
  };
  for (let index = 0; index < plan.keys; index++) {
    const seeder = TYPE_SEEDERS[dealer.next()];
    const key = names.make(seeder.noun, index);
    seeder.write(key, context);
    if (random.chance(plan.ttl.share)) {
      // Relative, not absolute: the bytes must not depend on the day.
      out.command('PEXPIRE', key, random.between(...plan.ttl.betweenMs));
    }
    yield index + 1;
  }
}

/** Elements are smaller than whole values: a list of a hundred 8 KB values is a megabyte. See `DatasetPlan.values`. */
function elementSizes(values: DatasetPlan['values']): DatasetPlan['values'] {
  const median = Math.max(1, values.median / 4);
  return { median, p99: Math.max(median, values.p99 / 16) };
}
