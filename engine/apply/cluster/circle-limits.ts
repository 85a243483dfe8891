/** What a link to a cluster of a circle stops with, because nobody could tell what clients wrote there. */
import { SyncError } from '../../errors.ts';
import { SLOTS } from '../../keys/cluster-slot.ts';
import type { EngineOptions } from '../../link/options.ts';
import type { SourceSlots } from '../../link/source-slots.ts';
import { movedKeyStop } from '../policy-stops.ts';
import type { SlotOffsets } from './slot-checkpoints.ts';

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

/** In a circle nobody follows: some slots may have left while nobody looked. @throws SyncError POLICY. */
export function refuseMoved(confirmed: SlotOffsets, sourceSlots: SourceSlots, offset: bigint): void {
  for (let slot = 0; slot < SLOTS; slot++)
    if ((confirmed[slot] ?? -1) >= 0 && !sourceSlots.has(slot)) throw movedKeyStop({ database: 0, offset });
}
