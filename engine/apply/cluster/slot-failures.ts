/** What a link stops with when a slot of the target is without its checkpoint, or has executed a part of a transaction. */
import { SyncError } from '../../errors.ts';
import { tagOfSlot } from '../../keys/cluster-slot.ts';
import type { ReplyError } from '../../resp/reply.ts';
import { printKey } from '../refusals.ts';

export function vanished(slot: number, where: string): SyncError {
  return new SyncError(
    'APPLY_REFUSED',
    `The checkpoint of slot ${slot} (tag ${tagOfSlot(slot)}) is gone from the target.`,
    {
      where,
      hint: 'The shard was flushed, or restarted without its data. Start the link again: it does a full sync.',
    },
  );
}

export function tornSlot(command: string, key: Buffer, error: ReplyError, where: string): SyncError {
  return new SyncError(
    'APPLY_REFUSED',
    `The target executed only a part of a transaction: ${command} ${printKey(key)} was refused (${error.message}).`,
    { where, hint: 'Give the account its rights back, clear the target and start the link again.' },
  );
}
