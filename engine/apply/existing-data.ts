/** Data that is on a target before its link has ever copied anything there, and what the policy says about it. */
import type { Connection } from '../connect/connection.ts';
import type { EngineOptions, ExistingPolicy } from '../link/options.ts';
import { parseInfo, textOf } from '../resp/reply-text.ts';
import type { Argument } from '../resp/encode.ts';
import { keysOfLink, type LinkRecord } from './checkpoint.ts';
import type { LinkFinding } from './finding.ts';
import { databasesOf, isOwnKey, otherLinks, scanKeys } from './target-contents.ts';

const SAMPLES_MAX = 20;

export interface ExistingData {
  keys: number;
  samples: { database: number; keyBase64: string; type: string }[];
}

/**
 * Undefined when there is none, or when other links write to this target: it may be theirs. Data first, marks then: a link
 * leaves its mark before its data.
 *
 * @throws SyncError.
 */
export async function findExisting(connection: Connection, link: string): Promise<ExistingData | undefined> {
  const samples = await sampleKeys(connection);
  if (samples.length === 0 || (await otherLinks(connection, link)).length > 0) return undefined;
  return { keys: await countKeys(connection, link), samples };
}

/** Keys of every database, without what the link keeps there. @throws SyncError. */
export async function countKeys(connection: Connection, link: string): Promise<number> {
  const keyspace = parseInfo(await connection.call('INFO', 'keyspace'));
  const counts = Object.values(keyspace).map((text) => Number(/^keys=(\d+)/.exec(text)?.[1] ?? 0));
  // The last RESTORE may have been for another database.
  await connection.call('SELECT', 0);
  const own = Number(await connection.call('EXISTS', ...keysOfLink(link)));
  return counts.reduce((sum, keys) => sum + keys, 0) - own;
}

/** Whether what the snapshot does not have is to be deleted behind it. `alone`: all data on the target is the link's. */
export function isReconciled(
  { fullResync, existing }: Pick<EngineOptions, 'fullResync' | 'existing'>,
  before: LinkRecord,
  alone: boolean,
  found: boolean,
): boolean {
  if (!alone) return false;
  const isFirst = before.checkpoint === null;
  if (isFirst && existing === 'overwrite') return before.loading || found;
  return (!isFirst || before.loading) && fullResync !== 'reload';
}

/**
 * Is what a second snapshot of a Codis group has not got compared with the other groups? Not where the target may have keys of
 * its own.
 */
export function isCompared(
  { fullResync, existing }: Pick<EngineOptions, 'fullResync' | 'existing'>,
  before: LinkRecord,
): boolean {
  return (before.checkpoint !== null || before.loading) && fullResync !== 'reload' && existing !== 'merge';
}

/** @param removed keys that the source does not have; undefined where the policy keeps them. */
export function existingFinding(
  policy: ExistingPolicy,
  { keys, samples }: ExistingData,
  overwritten: number,
  removed: number | undefined,
): LinkFinding {
  const rest = removed === undefined ? 'the others were kept' : `${removed} were deleted`;
  return {
    code: 'EXISTING_KEYS',
    severity: 'warning',
    message: `${keys} keys were on the target before: ${overwritten} had the name of a key of the source and were overwritten, ${rest}.`,
    evidence: { policy, keys, overwritten, removed: removed ?? 0, samples },
  };
}

async function sampleKeys(connection: Connection): Promise<ExistingData['samples']> {
  const samples: ExistingData['samples'] = [];
  if ((await databasesOf(connection)).length === 0) return samples;
  for await (const { database, keys } of scanKeys(connection)) {
    const some = keys.filter((key) => !isOwnKey(key)).slice(0, SAMPLES_MAX - samples.length);
    if (some.length === 0) continue;
    const questions: Argument[][] = [
      ['SELECT', database],
      ...some.map((key) => ['TYPE', key]),
      ['SELECT', 0],
    ];
    const types = await connection.pipeline(questions);
    some.forEach((key, index) =>
      samples.push({ database, keyBase64: key.toString('base64'), type: textOf(types[index + 1] ?? null) }),
    );
    if (samples.length >= SAMPLES_MAX) break;
  }
  return samples;
}
