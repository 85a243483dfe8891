/** Every default of the spec language, in one place. The schema shows them, the plan contains them. */
import { DEFAULT_ENGINE_OPTIONS } from '../../engine/link/options.ts';
import type { DatasetPlan } from '../../scenarios/data/dataset.ts';
import { isExisting, type PlaceKey } from './existing.ts';

export const DEFAULT_PROFILE = 'open';
/** A fixed seed, not a random one: the same spec rehearses the same data until somebody asks for other data. */
export const DEFAULT_SEED = 1;
export const DEFAULT_INCREMENTAL_MS = 5000;
export const DEFAULT_ENGINE = DEFAULT_ENGINE_OPTIONS;
/** Of `durability: { replicas: n }`. */
export const DEFAULT_DURABILITY_TIMEOUT_MS = 1000;
export const DEFAULT_COMPARE = { method: 'auto', ttlToleranceMs: 1000, rounds: 3 } as const;
export const DEFAULT_REPORT_FORMATS = ['json', 'markdown'];

/** Of an instance that says nothing, by kind. `sentinels` and `shards` belong to one kind each. */
export const DEFAULT_REPLICAS = { standalone: 0, sentinel: 1, cluster: 0, 'codis-group': 1 } as const;
/** Of each primary of an instance as it is written; none is known of an existing one. */
export function replicasOf(
  instance: { readonly [Key in PlaceKey]?: unknown } & {
    readonly kind?: keyof typeof DEFAULT_REPLICAS | undefined;
    readonly replicas?: number | undefined;
  },
): number {
  return instance.replicas ?? (isExisting(instance) ? 0 : DEFAULT_REPLICAS[instance.kind ?? 'standalone']);
}

export const DEFAULT_SENTINELS = 3;
export const DEFAULT_SHARDS = 3;

/** One `data:` item. `p99` of the elements lies above 512, the largest of Redis's small-encoding limits. */
export const DEFAULT_DATASET = {
  database: 0,
  keys: 10_000,
  types: { string: 40, hash: 15, list: 12, set: 12, zset: 12, stream: 3, hyperloglog: 2, bitmap: 2, geo: 2 },
  ttl: { share: 0.1, betweenMs: [600_000, 7_200_000] },
  values: { median: 64, p99: 4096 },
  elements: { median: 8, p99: 600 },
  corners: false,
} as const satisfies Omit<DatasetPlan, 'into' | 'prefix'>;

/** What a spec without `data:` gets: a main database, and a small one beyond 9 (a two-digit number on the wire). */
export const DEFAULT_DATASETS = [
  { database: 0, keys: 10_000, corners: true },
  { database: 12, keys: 500, corners: true },
] as const;

/** One `workload:` item, except `mix`, which the workload's own registry decides. */
export const DEFAULT_WORKLOAD = {
  name: 'load',
  ratePerSecond: 2000,
  clients: 4,
  start: 'full-sync',
  keyspace: 1000,
  client: 'direct',
} as const;
