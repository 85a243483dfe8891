/** What is said when slots of a cluster target have another primary: after a reshard, a failover, a new shard. */
import type { ClusterTopology } from '../../connect/cluster-topology.ts';
import { describeEndpoint } from '../../connect/endpoint.ts';
import { SLOTS } from '../../keys/cluster-slot.ts';
import type { GrowingFact } from '../growing-findings.ts';

/** The slots that have another primary now. */
export function changedFact(before: ClusterTopology, now: ClusterTopology): [GrowingFact, unknown, number] {
  const moved = [...Array(SLOTS).keys()].filter((slot) => ownerOf(before, slot) !== ownerOf(now, slot));
  const fact = {
    code: 'ENDPOINT_CHANGED',
    severity: 'warning',
    message: 'Slots of the target cluster have another primary than before; the link follows.',
    evidence: { side: 'target' },
  } as const;
  const to = now.shards[now.owners[moved[0] ?? 0] ?? -1]?.primary.endpoint;
  const sample = { first: moved[0], last: moved.at(-1), to: to === undefined ? '' : describeEndpoint(to) };
  return [fact, sample, moved.length];
}

function ownerOf({ owners, shards }: ClusterTopology, slot: number): string | undefined {
  return shards[owners[slot] ?? -1]?.primary.id;
}
