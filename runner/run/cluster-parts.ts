/** The shards of a cluster as places that share its keys: filled and written to one by one, each with keys of its own slots. */
import {
  askTopology,
  type ClusterNode,
  type ClusterTopology,
  type Shard,
} from '../../engine/connect/cluster-topology.ts';
import type { ClusterShard } from '../../engine/connect/discovery.ts';
import { describeEndpoint, type Endpoint } from '../../engine/connect/endpoint.ts';
import { clusterSlot, tagOfSlot } from '../../engine/keys/cluster-slot.ts';
import type { Placement } from '../../scenarios/data/placement.ts';
import type { ProvisionedInstance } from '../provision/provisioner.ts';
import { whereaboutsOf } from './locate.ts';

/** Hash tags that clients of one shard use in turn: keys of one command share a slot. */
const TAGS = 64;

/** So often, at most, it is asked where the slots are now. */
const ASK_AGAIN_MS = 100;

export interface ClusterPart {
  name: string;
  endpoint: Endpoint;
  whereabouts: ClusterShard;
  /** Hash tags of slots of the shard; changed in place when slots move. */
  readonly tags: string[];
}

export interface ClusterParts {
  parts: ClusterPart[];
  /** The name of the part that a key belongs to, as of the last look; undefined in a shard that came later. */
  placement: Placement;
  /** Slots have moved, somebody says: looks again, soon. Never throws. */
  lookAgain: () => void;
}

/** Undefined when the instance is no cluster. @throws SyncError as askTopology. */
export async function clusterPartsOf(
  instance: Pick<ProvisionedInstance, 'name' | 'whereabouts' | 'primary'>,
  signal: AbortSignal,
): Promise<ClusterParts | undefined> {
  const where = whereaboutsOf(instance);
  if (!('kind' in where) || where.kind !== 'cluster') return undefined;
  const first = await askTopology(where.seeds, { signal });
  // As a client of a cluster does: the nodes it was told of may be gone before the cluster is.
  const nodes = distinct([...where.seeds, ...first.shards.flatMap(nodesOf).map(({ endpoint }) => endpoint)]);
  const parts = first.shards.flatMap((shard, index): ClusterPart[] => {
    if (shard.slots.length === 0) return [];
    return [
      {
        name: `${instance.name} shard ${index}`,
        endpoint: shard.primary.endpoint,
        whereabouts: {
          kind: 'cluster-shard',
          seeds: distinct([shard.primary.endpoint, ...nodes]),
          members: idsOf(shard),
          others: first.shards.filter((other) => other !== shard).flatMap(idsOf),
        },
        tags: tagsOf(shard),
      },
    ];
  });
  let names = placeOf(first, parts);
  const lookAgain = async (): Promise<void> => {
    const now = await askTopology(nodes, { signal }).catch(() => undefined);
    if (now !== undefined) names = placeOf(now, parts);
  };
  return { parts, placement: (key) => names[clusterSlot(key)], lookAgain: atMostOnce(lookAgain) };
}

/** The name of the part by slot; every part gets the tags that it has now. */
function placeOf({ shards, owners }: ClusterTopology, parts: readonly ClusterPart[]): (string | undefined)[] {
  for (const { tags } of parts) tags.length = 0;
  const owning = shards.map((shard) => {
    const part = parts.find((each) => isOf(shard, each));
    part?.tags.push(...tagsOf(shard));
    return part?.name;
  });
  return Array.from(owners, (owner) => owning[owner]);
}

/** As engine/connect/cluster-shard.ts tells a shard from one that its nodes have gone over to. */
function isOf({ primary, replicas }: Shard, { whereabouts: { members, others = [] } }: ClusterPart): boolean {
  if (members.includes(primary.id)) return true;
  return !others.includes(primary.id) && replicas.some(({ id }) => members.includes(id));
}

/** One that is gone is not asked twice. */
function distinct(endpoints: readonly Endpoint[]): Endpoint[] {
  return [...new Map(endpoints.map((endpoint) => [describeEndpoint(endpoint), endpoint])).values()];
}

function nodesOf({ primary, replicas }: Shard): ClusterNode[] {
  return [primary, ...replicas];
}

function idsOf(shard: Shard): string[] {
  return nodesOf(shard).map(({ id }) => id);
}

function tagsOf({ slots }: Shard): string[] {
  const all = slots.flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, offset) => first + offset),
  );
  const step = Math.max(1, Math.floor(all.length / TAGS));
  return all
    .filter((_, at) => at % step === 0)
    .slice(0, TAGS)
    .map(tagOfSlot);
}

/** Calls while one is under way, and right after it, count as that one. */
function atMostOnce(work: () => Promise<void>): () => void {
  let isUnderWay = false;
  return () => {
    if (isUnderWay) return;
    isUnderWay = true;
    void work().finally(() => setTimeout(() => (isUnderWay = false), ASK_AGAIN_MS).unref());
  };
}
