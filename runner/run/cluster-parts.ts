/** The shards of a cluster as places that share its keys: filled and written to one by one, each with keys of its own slots. */
import { askTopology } from '../../engine/connect/cluster-topology.ts';
import type { ClusterShard } from '../../engine/connect/discovery.ts';
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import { clusterSlot, tagOfSlot } from '../../engine/keys/cluster-slot.ts';
import type { Placement } from '../../scenarios/data/placement.ts';
import type { ProvisionedInstance } from '../provision/provisioner.ts';
import { whereaboutsOf } from './locate.ts';

/** Hash tags that clients of one shard use in turn: keys of one command share a slot. */
const TAGS = 64;

export interface ClusterPart {
  name: string;
  endpoint: Endpoint;
  whereabouts: ClusterShard;
  /** Hash tags of slots of the shard. */
  tags: string[];
}

export interface ClusterParts {
  parts: ClusterPart[];
  /** The name of the part that a key belongs to. */
  placement: Placement;
}

/** Undefined when the instance is no cluster. @throws SyncError as askTopology. */
export async function clusterPartsOf(
  instance: ProvisionedInstance,
  signal: AbortSignal,
): Promise<ClusterParts | undefined> {
  const where = whereaboutsOf(instance);
  if (!('kind' in where) || where.kind !== 'cluster') return undefined;
  const { shards, owners } = await askTopology(where.seeds, { signal });
  const nameOf = (index: number): string => `${instance.name} shard ${index}`;
  const parts = shards.flatMap(({ primary, replicas, slots }, index): ClusterPart[] => {
    if (slots.length === 0) return [];
    const all = slots.flatMap(([first, last]) =>
      Array.from({ length: last - first + 1 }, (_, offset) => first + offset),
    );
    const step = Math.max(1, Math.floor(all.length / TAGS));
    return [
      {
        name: nameOf(index),
        endpoint: primary.endpoint,
        whereabouts: {
          kind: 'cluster-shard',
          seeds: [primary.endpoint, ...where.seeds],
          members: [primary, ...replicas].map(({ id }) => id),
        },
        tags: all
          .filter((_, at) => at % step === 0)
          .slice(0, TAGS)
          .map(tagOfSlot),
      },
    ];
  });
  return { parts, placement: (key) => nameOf(owners[clusterSlot(key)] ?? -1) };
}
