/**
 * Which links begin together: one PSYNC serves all that can continue from one place, or need everything. Pure.
 *
 * Targets of the same history may be at different places (they are applied to independently): the stream begins for the one
 * that is furthest behind, and the others leave out what they have. But a target that is too far behind for the source's
 * backlog would make a full sync of it for everybody, so it goes alone.
 */
import type { Checkpoint } from '../apply/checkpoint.ts';
import type { ReplicationPosition } from '../psync/handshake.ts';

/** What the source can still continue from. */
export interface Backlog {
  /** The first byte it has; a link that has everything before it can continue. */
  firstOffset: bigint;
}

export interface FeedPlan<Link> {
  /** Null: a full sync. */
  position: ReplicationPosition | null;
  links: Link[];
}

/** @param backlog undefined when the source does not tell. */
export function planFeeds<Link>(
  ready: readonly { link: Link; checkpoint: Checkpoint | null }[],
  backlog: Backlog | undefined,
): FeedPlan<Link>[] {
  const plans = new Map<string, FeedPlan<Link>>();
  for (const { link, checkpoint } of ready) {
    const name = groupOf(checkpoint, backlog);
    const plan = plans.get(name) ?? { position: checkpoint && positionOf(checkpoint), links: [] };
    plans.set(name, plan);
    plan.links.push(link);
    if (checkpoint && plan.position && checkpoint.offset < plan.position.offset)
      plan.position = positionOf(checkpoint);
  }
  return [...plans.values()];
}

function groupOf(checkpoint: Checkpoint | null, backlog: Backlog | undefined): string {
  if (checkpoint === null) return 'nothing';
  const isTooOld = backlog !== undefined && checkpoint.offset + 1n < backlog.firstOffset;
  return `${checkpoint.replid} ${isTooOld ? 'too old' : 'continues'}`;
}

function positionOf({ replid, offset }: Checkpoint): ReplicationPosition {
  return { replid, offset };
}
