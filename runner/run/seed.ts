/** Fills the instances of a run with its datasets, a cluster shard by shard. */
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import { formatCount } from '../../reports/display.ts';
import type { RunEventBody } from '../../reports/events.ts';
import type { DatasetPlan } from '../../scenarios/data/dataset.ts';
import type { CodisSlotTable } from '../../scenarios/data/placement.ts';
import { seedDataset } from '../../scenarios/data/seeding.ts';
import { clusterPartsOf } from './cluster-parts.ts';
import { shareOf, shareOfPart, type KeyShare } from './key-shares.ts';
import type { ProvisionedInstance } from '../provision/provisioner.ts';

export interface SeedRun {
  datasets: readonly DatasetPlan[];
  seed: number;
  instanceNamed: (name: string) => ProvisionedInstance;
  endpointOf: (instance: string) => Endpoint;
  /** Where the slots of Codis groups are. */
  slots: CodisSlotTable | undefined;
  signal: AbortSignal;
  show: (line: string) => void;
  emit: (event: RunEventBody) => void;
}

interface Place {
  endpoint: Endpoint;
  share?: KeyShare;
}

/** One dataset after another per instance: the same seed gives the same data. @returns how many keys. @throws as seedDataset. */
export async function seedInstances(run: SeedRun): Promise<number> {
  let total = 0;
  for (const [index, dataset] of run.datasets.entries())
    for (const instance of dataset.into) total += await seedInstance(run, dataset, index, instance);
  return total;
}

async function seedInstance(
  run: SeedRun,
  dataset: DatasetPlan,
  index: number,
  instance: string,
): Promise<number> {
  const { seed, signal, show, emit } = run;
  const sums = { keys: 0, bytes: 0, durationMs: 0 };
  for (const { endpoint, share } of await placesOf(run, dataset, instance)) {
    const { keys, bytes, durationMs } = await seedDataset(endpoint, dataset, {
      seed: seed + index,
      ...(share ? { share } : {}),
      signal,
      onProgress: (now) =>
        show(`  seed ${instance}: ${formatCount(now.keys)} of ${formatCount(now.total)} keys`),
    });
    sums.keys += keys;
    sums.bytes += bytes;
    sums.durationMs += durationMs;
  }
  emit({ kind: 'seeded', instance, ...sums });
  return sums.keys;
}

async function placesOf(run: SeedRun, dataset: DatasetPlan, instance: string): Promise<Place[]> {
  const { share } = shareOf(instance, dataset.into, run.slots);
  const cluster = await clusterPartsOf(run.instanceNamed(instance), run.signal);
  if (cluster === undefined) return [{ endpoint: run.endpointOf(instance), ...(share && { share }) }];
  return cluster.parts.map(({ name, endpoint }) => ({ endpoint, share: shareOfPart(name, cluster, share) }));
}
