/** What a link stops with when a policy says so: each names the place, and the setting that would let it go on. */
import { SyncError } from '../errors.ts';

/** Where in the stream: database and offset behind the command. */
export interface StreamPlace {
  database: number;
  offset: bigint;
}

function at({ database, offset }: StreamPlace): string {
  return `(database ${database}, offset ${offset})`;
}

export function flushStop(name: string, place: StreamPlace): SyncError {
  return new SyncError('POLICY', `${name.toUpperCase()} on the source ${at(place)}.`, {
    hint: 'The target keeps its data and the link stops, because engine.flush is "fail". Set it to "propagate" or "ignore", or clear the target and start over.',
  });
}

export function swapdbStop(place: StreamPlace, cluster: boolean): SyncError {
  return new SyncError('POLICY', `SWAPDB on the source ${at(place)}.`, {
    hint: cluster
      ? 'The target is a cluster, which has only database 0: keep applications from using SWAPDB.'
      : 'The link stops, because engine.swapdb is "fail". Set it to "propagate", or keep applications from using SWAPDB.',
  });
}

export function scriptStop(name: string, sha: string, place: StreamPlace): SyncError {
  return new SyncError('POLICY', `The source sends script ${sha} as text with ${name} ${at(place)}.`, {
    hint: 'The link stops, because engine.scripts is "fail". Set lua-replicate-commands yes on the source, or set engine.scripts to "apply".',
  });
}

export function unknownScriptStop(shas: readonly string[], where: string): SyncError {
  return new SyncError(
    'POLICY',
    `The target does not have script ${shas.join(', ')}, which the source runs by its SHA1.`,
    {
      where,
      hint: 'Nothing of the transaction was applied. Load it there (redis-cli SCRIPT LOAD) and start the link again; it goes on with this very command.',
    },
  );
}

export function unsupportedStop(name: string, needs: string, place: StreamPlace): SyncError {
  return new SyncError('POLICY', `The target cannot do what ${name} does (${needs}) ${at(place)}.`, {
    hint: 'The link stops, because engine.unsupported is "fail". Use a later target, keep applications from using the command, or set it to "skip".',
  });
}

/** In a circle: what the source, a cluster, gets now cannot be told from what clients write there. */
export function loadingStop(place: StreamPlace): SyncError {
  return new SyncError(
    'POLICY',
    `All data is copied anew to the source, a cluster in a circle ${at(place)}.`,
    {
      hint: 'Nothing of it was applied: it would be sent back. Compare both, then begin this link anew, without its checkpoint.',
    },
  );
}

/** In a circle: a key that has moved with its slot says nothing of where it was written. */
export function movedKeyStop(place: StreamPlace): SyncError {
  return new SyncError(
    'POLICY',
    `Slots move between the shards of the source, a cluster in a circle ${at(place)}.`,
    {
      hint: 'Nothing of it was applied: the keys would be sent back as fresh writes, and only a cluster as target can follow. Finish the resharding, compare both, and begin this link anew, without its checkpoint.',
    },
  );
}

/** FLUSHALL, FLUSHDB or SWAPDB would hit keys that are not the link's. */
export function sharedTargetStop(what: string, why: string, where: string): SyncError {
  return new SyncError('POLICY', `${what} of the source must not reach this target: ${why}.`, {
    where,
    hint: 'It would hit data that is not this link’s. Set engine.flush to "ignore" to leave a flush out, or give the link a target of its own.',
  });
}

export function evictionStop(keys: number, where: string): SyncError {
  return new SyncError('POLICY', `The target has evicted ${keys} keys.`, {
    where,
    hint: 'The link stops, because engine.eviction is "fail". Set maxmemory-policy noeviction and more maxmemory there, clear it, and start over.',
  });
}

export function foreignWriteStop(what: string, where: string): SyncError {
  return new SyncError('POLICY', `Somebody else writes to the target: ${what}.`, {
    where,
    hint: 'The link stops, because engine.foreignWrites is "fail". Make the target read-only for everybody but the link, and compare it.',
  });
}

export function existingStop(where: string): SyncError {
  return new SyncError('POLICY', 'The target has keys, and the link has never copied anything there.', {
    where,
    hint: 'Nothing was touched. Empty the target (FLUSHALL), or set engine.existing to "overwrite" (what the source does not have is deleted) or "merge" (it stays).',
  });
}
