/** `data:` and `workload:` as the plan has them; what a spec that says nothing about them gets. */
import type { DatasetPlan } from '../../scenarios/data/dataset.ts';
import type { WorkloadPlan } from '../../scenarios/workload/workload.ts';
import { parseDuration, parseRate, parseShare } from '../spec/quantities.ts';
import type { Dataset, Workload } from '../spec/spec.generated.ts';
import { DEFAULT_DATASET, DEFAULT_DATASETS, DEFAULT_WORKLOAD } from './defaults.ts';
import { isExisting } from './existing.ts';
import type { InstancePlan, LinkPlan } from './plan.ts';
import { read, sizeOr } from './written.ts';

/** Redis's own default of `databases`. */
const DATABASES_DEFAULT = 16;

export function expandDatasets(
  items: readonly Dataset[] | undefined,
  instances: readonly InstancePlan[],
  links: readonly LinkPlan[],
): DatasetPlan[] {
  if (items !== undefined) {
    const sources = namesOf(instances, links, (instance) => instance.disposable);
    return items.map((item, position) => expandDataset(item, position, sources));
  }
  const into = namesOf(instances, links, (instance) => !isExisting(instance));
  if (into.length === 0) return [];
  const databases = Math.min(
    ...instances.map((instance) => Number(instance.config['databases'] ?? DATABASES_DEFAULT)),
  );
  const fitting = DEFAULT_DATASETS.filter(({ database }) => database < databases);
  return fitting.map((item, position) => expandDataset(item, position, into));
}

function expandDataset(item: Dataset, position: number, sources: readonly string[]): DatasetPlan {
  const { ttl = {}, values = {}, elements = {} } = item;
  const [shortest, longest] = ttl.between ?? [];
  return {
    into: listOf(item.into) ?? [...sources],
    database: item.database ?? DEFAULT_DATASET.database,
    keys: item.keys ?? DEFAULT_DATASET.keys,
    types: { ...(item.types ?? DEFAULT_DATASET.types) },
    prefix: item.prefix ?? `data-${position + 1}:`,
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
  defaultMix: Readonly<Record<string, number>>;
}

export function expandWorkloads(
  items: readonly Workload[] | undefined,
  surroundings: WorkloadSurroundings,
): WorkloadPlan[] {
  const { instances, links } = surroundings;
  const isOurs = (instance: InstancePlan): boolean =>
    items === undefined ? !isExisting(instance) : instance.disposable;
  const sources = namesOf(instances, links, isOurs);
  if (items === undefined && sources.length === 0) return [];
  return (items ?? [{}]).map((item, position) => expandWorkload(item, position, sources, surroundings));
}

function expandWorkload(
  item: Workload,
  position: number,
  sources: readonly string[],
  { data, defaultMix }: WorkloadSurroundings,
): WorkloadPlan {
  const into = listOf(item.into) ?? [...sources];
  const name = item.name ?? defaultWorkloadName(position);
  const filled = data.filter((dataset) => dataset.into.some((instance) => into.includes(instance)));
  const databases = [...new Set(filled.map(({ database }) => database))].toSorted((a, b) => a - b);
  return {
    name,
    into,
    databases: item.databases ?? (databases.length === 0 ? [0] : databases),
    ratePerSecond: item.rate === undefined ? DEFAULT_WORKLOAD.ratePerSecond : read(item.rate, parseRate),
    clients: item.clients ?? DEFAULT_WORKLOAD.clients,
    start: item.start ?? DEFAULT_WORKLOAD.start,
    mix: { ...(item.mix ?? defaultMix) },
    keyspace: item.keyspace ?? DEFAULT_WORKLOAD.keyspace,
    prefix: item.prefix ?? `${name}:`,
  };
}

/** load, load-2, load-3 … */
export function defaultWorkloadName(position: number): string {
  return position === 0 ? DEFAULT_WORKLOAD.name : `${DEFAULT_WORKLOAD.name}-${position + 1}`;
}

/** The sources that may be written to, in the order of the links. */
function namesOf(
  instances: readonly InstancePlan[],
  links: readonly LinkPlan[],
  isWritable: (instance: InstancePlan) => boolean,
): string[] {
  const writable = new Set(instances.filter(isWritable).map(({ name }) => name));
  return [...new Set(links.map(({ source }) => source))].filter((name) => writable.has(name));
}

function listOf(into: Dataset['into']): string[] | undefined {
  return typeof into === 'string' ? [into] : into;
}
