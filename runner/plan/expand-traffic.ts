/** `data:` and `workload:` as the plan has them; what a spec that says nothing about them gets. */
import type { DatasetPlan } from '../../scenarios/data/dataset.ts';
import type { WorkloadPlan } from '../../scenarios/workload/workload.ts';
import { parseDuration, parseRate, parseShare } from '../spec/quantities.ts';
import type { Dataset, Workload } from '../spec/spec.generated.ts';
import { DEFAULT_DATASET, DEFAULT_DATASETS, DEFAULT_WORKLOAD } from './defaults.ts';
import { isExisting } from './existing.ts';
import type { InstancePlan, LinkPlan } from './plan.ts';
import { seedableInstances, writableInstances } from './writers.ts';
import { read, sizeOr } from './written.ts';

/** Redis's own default of `databases`. */
const DATABASES_DEFAULT = 16;

interface DatasetSurroundings {
  instances: readonly InstancePlan[];
  links: readonly LinkPlan[];
  /** Databases that the topology says are used. */
  databases: readonly number[] | undefined;
}

export function expandDatasets(
  items: readonly Dataset[] | undefined,
  { instances, links, databases }: DatasetSurroundings,
): DatasetPlan[] {
  const seedable = seedableInstances(links);
  if (items !== undefined) {
    const into = namesOf(instances, seedable, (instance) => instance.disposable);
    const [database = DEFAULT_DATASET.database] = databases ?? [];
    return items.map((item, position) => expandDataset({ database, ...item }, position, into));
  }
  const into = namesOf(instances, seedable, (instance) => !isExisting(instance));
  // Keys of owners have names of their own, which nobody can guess.
  if (into.length === 0 || links.some(({ owns }) => owns !== undefined)) return [];
  const count = Math.min(...instances.map(databasesOf));
  const wanted = databases?.map((database) => ({ ...DEFAULT_DATASETS[0], database })) ?? DEFAULT_DATASETS;
  const fitting = wanted.filter(({ database }) => database < count);
  return fitting.map((item, position) => expandDataset(item, position, into));
}

/** How many databases it has. */
export function databasesOf({ kind, config }: Pick<InstancePlan, 'kind' | 'config'>): number {
  return kind === 'cluster' ? 1 : Number(config['databases'] ?? DATABASES_DEFAULT);
}

function expandDataset(item: Dataset, position: number, sources: readonly string[]): DatasetPlan {
  const { ttl = {}, values = {}, elements = {} } = item;
  const [shortest, longest] = ttl.between ?? [];
  return {
    into: listOf(item.into) ?? [...sources],
    database: item.database ?? DEFAULT_DATASET.database,
    keys: item.keys ?? DEFAULT_DATASET.keys,
    types: { ...(item.types ?? DEFAULT_DATASET.types) },
    prefix: item.prefix ?? defaultDataPrefix(position),
    ttl: {
      share: ttl.share === undefined ? DEFAULT_DATASET.ttl.share : read(ttl.share, parseShare),
      betweenMs:
        shortest === undefined || longest === undefined
          ? [...DEFAULT_DATASET.ttl.betweenMs]
          : [read(shortest, parseDuration), read(longest, parseDuration)],
    },
    values: {
      median: sizeOr(values.median, DEFAULT_DATASET.values.median),
      p99: sizeOr(values.p99, DEFAULT_DATASET.values.p99),
    },
    elements: {
      median: elements.median ?? DEFAULT_DATASET.elements.median,
      p99: elements.p99 ?? DEFAULT_DATASET.elements.p99,
    },
    corners: item.corners ?? DEFAULT_DATASET.corners,
  };
}

interface WorkloadSurroundings {
  instances: readonly InstancePlan[];
  links: readonly LinkPlan[];
  data: readonly DatasetPlan[];
  databases: readonly number[] | undefined;
  defaultMix: Readonly<Record<string, number>>;
}

export function expandWorkloads(
  items: readonly Workload[] | undefined,
  surroundings: WorkloadSurroundings,
): WorkloadPlan[] {
  const { instances, links } = surroundings;
  const isOurs = (instance: InstancePlan): boolean =>
    items === undefined ? !isExisting(instance) : instance.disposable;
  const sources = namesOf(instances, writableInstances(links), isOurs);
  const isOwned = links.some(({ owns }) => owns !== undefined);
  if (items === undefined && (sources.length === 0 || isOwned)) return [];
  return (items ?? [{}]).map((item, position) => expandWorkload(item, position, sources, surroundings));
}

function expandWorkload(
  item: Workload,
  position: number,
  sources: readonly string[],
  { data, links, databases: usual, defaultMix }: WorkloadSurroundings,
): WorkloadPlan {
  // What is written elsewhere before the way back is open would reach nobody.
  const seedable = seedableInstances(links);
  const into = listOf(item.into) ?? [...sources];
  const name = item.name ?? defaultWorkloadName(position);
  const filled = data.filter((dataset) => dataset.into.some((instance) => into.includes(instance)));
  const databases = [...new Set([...(usual ?? []), ...filled.map(({ database }) => database)])].toSorted(
    (a, b) => a - b,
  );
  return {
    name,
    into,
    databases: item.databases ?? (databases.length === 0 ? [0] : databases),
    ratePerSecond: item.rate === undefined ? DEFAULT_WORKLOAD.ratePerSecond : read(item.rate, parseRate),
    clients: item.clients ?? DEFAULT_WORKLOAD.clients,
    start:
      item.start ?? (into.every((each) => seedable.includes(each)) ? DEFAULT_WORKLOAD.start : 'incremental'),
    mix: { ...(item.mix ?? defaultMix) },
    keyspace: item.keyspace ?? DEFAULT_WORKLOAD.keyspace,
    prefix: item.prefix ?? `${name}:`,
    client: item.client ?? DEFAULT_WORKLOAD.client,
  };
}

/** data-1:, data-2: … */
export function defaultDataPrefix(position: number): string {
  return `data-${position + 1}:`;
}

/** load, load-2, load-3 … */
export function defaultWorkloadName(position: number): string {
  return position === 0 ? DEFAULT_WORKLOAD.name : `${DEFAULT_WORKLOAD.name}-${position + 1}`;
}

function namesOf(
  instances: readonly InstancePlan[],
  names: readonly string[],
  isOurs: (instance: InstancePlan) => boolean,
): string[] {
  const ours = new Set(instances.filter(isOurs).map(({ name }) => name));
  return names.filter((name) => ours.has(name));
}

function listOf(into: Dataset['into']): string[] | undefined {
  return typeof into === 'string' ? [into] : into;
}
