/** Where the clients of a workload write: to each of its instances, in a cluster to each shard. */
import type { WorkloadPlace } from '../../scenarios/workload/workload-start.ts';
import type { ProvisionedInstance } from '../provision/provisioner.ts';
import { clusterPartsOf } from './cluster-parts.ts';
import { whereaboutsOf } from './locate.ts';

/** @throws SyncError as askTopology. */
export async function workloadPlacesOf(
  instances: readonly Pick<ProvisionedInstance, 'name' | 'whereabouts' | 'primary'>[],
  signal: AbortSignal,
): Promise<WorkloadPlace[]> {
  const places: WorkloadPlace[] = [];
  for (const instance of instances) {
    const cluster = await clusterPartsOf(instance, signal);
    if (cluster === undefined) {
      places.push({ instance: instance.name, whereabouts: () => whereaboutsOf(instance) });
      continue;
    }
    const { placement, lookAgain: onMoved } = cluster;
    for (const { name, whereabouts, tags } of cluster.parts)
      places.push({
        instance: instance.name,
        whereabouts: () => whereabouts,
        part: { name, tags, placement, onMoved },
      });
  }
  return places;
}
