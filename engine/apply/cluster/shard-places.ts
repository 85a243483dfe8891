/** The shards of a cluster as places that a lane writes to: where each is, and whether it has what was applied there. */
import { waitKey } from '../checkpoint.ts';
import type { LanePlace } from '../link-lane.ts';
import type { ClusterStream } from './cluster-stream.ts';
import type { ClusterTarget } from './cluster-target.ts';
import type { SlotBook } from './slot-book.ts';
import { slotTaggedKey } from './slot-checkpoints.ts';

/**
 * @param stream what applies there now. A shard that lacks something is looked at by it at once: perhaps nothing more is written
 * there for a long time.
 */
export function shardPlaces(
  link: string,
  cluster: ClusterTarget,
  slots: SlotBook,
  stream: () => ClusterStream | undefined,
): LanePlace[] {
  return cluster.shards.map((shard) => ({
    name: shard.id,
    whereabouts: cluster.whereaboutsOf(shard),
    ownKey: slotTaggedKey(waitKey(link), shard.facts?.slots[0]?.[0] ?? 0),
    holds: async (connection) => {
      if (stream()?.recovering === true) return false;
      if (await slots.holds(connection, shard)) return true;
      stream()?.visit(shard);
      return false;
    },
  }));
}
