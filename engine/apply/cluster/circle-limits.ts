/** What a link to a cluster of a circle stops with, because nobody could tell what clients wrote there. */
import { SyncError } from '../../errors.ts';
import type { EngineOptions } from '../../link/options.ts';
import type { LinkFinding } from '../finding.ts';

/**
 * Who wins is decided in one process, and a cluster has several; keys that are read again would replace newer writes.
 *
 * @throws SyncError USAGE.
 */
export function refuseCircle(link: string, { conflict = 'overwrite', crossSlot }: EngineOptions): void {
  if (conflict === 'overwrite' && crossSlot !== 'refetch') return;
  const setting = conflict === 'overwrite' ? 'crossSlot: refetch' : `conflict: ${conflict}`;
  throw new SyncError(
    'USAGE',
    `Link ${link} is one of a circle, and its target is a cluster: engine.${setting} cannot be kept.`,
    { hint: 'Set engine.conflict to overwrite, and engine.crossSlot to split or fail.' },
  );
}

/** A cluster in a circle is filled once: nobody could tell a second snapshot from what clients write there. */
export function refuseAnotherSnapshot(cause: string): SyncError {
  return new SyncError(
    'POLICY',
    `The source does not let the link continue, and a cluster in a circle is not copied to a second time: ${cause}`,
    {
      hint: 'The target is as it was. Compare both sides, then begin all links of the circle anew, without their checkpoints. A larger repl-backlog-size on the source lets links continue.',
    },
  );
}

/** Slots whose commands nobody knows to be right at the end. */
export function unsettledFinding(slots: number): LinkFinding {
  return {
    code: 'TOPOLOGY_CHANGED',
    severity: 'error',
    message: `${slots} slots have left the source shard, or come to it, and could not be compared with it or taken over: compare their keys.`,
    evidence: { side: 'source', slots },
  };
}

/** A slot has gone and come back between two looks at the source: a DEL of it was taken for a client's. */
export function unseenFinding(slot: number): LinkFinding {
  return {
    code: 'TOPOLOGY_CHANGED',
    severity: 'error',
    message: `Slot ${slot} has left the source shard and come back, and nobody saw it leave: keys of it may be missing on the target. Compare them.`,
    evidence: { side: 'source', slot },
  };
}
