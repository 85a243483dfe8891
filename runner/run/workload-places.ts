/** Where the clients of a workload write: to each of its instances, in a cluster to each shard. */
import type { Placement } from '../../scenarios/data/placement.ts';
import type { WorkloadPlace } from '../../scenarios/workload/workload-start.ts';
import type { ProvisionedInstance } from '../provision/provisioner.ts';
import { clusterPartsOf } from './cluster-parts.ts';
import { whereaboutsOf } from './locate.ts';

export interface WorkloadPlaces {
  places: WorkloadPlace[];
  /** Present when an instance is a cluster: the part a key belongs to. */
  placement?: Placement;
}

/** @throws SyncError as askTopology. */
export async function workloadPlacesOf(
  instances: readonly ProvisionedInstance[],
  signal: AbortSignal,
): Promise<WorkloadPlaces> {
  const found: WorkloadPlaces = { places: [] };
  for (const instance of instances) {
    const cluster = await clusterPartsOf(instance, signal);
    if (cluster === undefined) {
      found.places.push({ instance: instance.name, whereabouts: whereaboutsOf(instance) });
      continue;
    }
    found.placement = cluster.placement;
    for (const { name, whereabouts, tags } of cluster.parts)
      found.places.push({ instance: instance.name, whereabouts, part: { name, tags } });
  }
  return found;
}
