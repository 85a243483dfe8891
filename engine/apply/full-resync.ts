/** What a second full sync of a link is reported as, and what stops it. */
import { SyncError } from '../errors.ts';
import type { LinkFinding } from './finding.ts';
import type { Removed } from './reconciliation.ts';

/** The target is again what the source is. */
export function removedFinding(cause: string, removed: Removed): LinkFinding {
  const { keys, libraries } = removed;
  return {
    code: 'FULL_RESYNC',
    severity: 'warning',
    message: `All data was copied again, and ${keys} keys that are gone from the source were removed: ${cause}`,
    evidence: { cause, keysRemoved: keys, librariesRemoved: libraries, reconciled: true },
  };
}

/** The target has the data of other groups too: what the snapshot has not got is compared with all of them. */
export function comparedFinding(cause: string, keys: number): LinkFinding {
  return {
    code: 'FULL_RESYNC',
    severity: 'warning',
    message: `All data was copied again, and ${keys} keys that are gone from the group are compared with the other groups, and removed where none has them: ${cause}`,
    evidence: { cause, keysCompared: keys, reconciled: true },
  };
}

/** All was copied again, but nothing removed: stale keys may be left. `inCircle`: the target has clients of its own. */
export function keptFinding(
  cause: string,
  alone: boolean,
  otherLinks: readonly string[] = [],
  inCircle = false,
): LinkFinding {
  const why = alone
    ? otherLinks.length > 0
      ? 'other links write to this target'
      : 'the policy is to reload only'
    : inCircle
      ? 'they may have been written there'
      : 'the target was not empty when the link began';
  return {
    code: 'FULL_RESYNC',
    severity: 'error',
    message: `All data was copied again; keys that are gone from the source were left on the target, because ${why}: ${cause}`,
    evidence: { cause, keysRemoved: 0, reconciled: false, otherLinks },
  };
}

export function refuseFullResync(cause: string): SyncError {
  return new SyncError(
    'POLICY',
    `The source does not let the link continue, and a second full sync is not wanted: ${cause}`,
    {
      hint: 'The target is as it was. Set engine.fullResync to "reconcile" to copy everything again.',
    },
  );
}

export function refuseEmptySource(where: string): SyncError {
  return new SyncError('POLICY', 'The source has no key any more, but the target has: nothing was deleted.', {
    where,
    hint: 'Did the source restart without its data? Restore it, or set engine.emptySource to follow to empty the target too.',
  });
}

/** The link is told to end before the target is complete. */
export function stoppedHalfWay(): SyncError {
  return new SyncError(
    'ABORTED',
    'The link was stopped in the middle of the full sync: the target is incomplete.',
    {
      hint: 'Start the link again: the full sync begins anew and replaces what is there.',
    },
  );
}
