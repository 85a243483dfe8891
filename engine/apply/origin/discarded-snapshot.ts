/**
 * The snapshot that PSYNC begins with, for a link that only follows: read to its end, checked and counted, not applied. The
 * reverse of a link must not bring back what that link has brought, and the rest was written before the link began.
 */
import { SyncError } from '../../errors.ts';
import type { EngineOptions, FullResyncPolicy } from '../../link/options.ts';
import { RawSnapshotReader } from '../../rdb/raw-reader.ts';
import type { Checkpoint, LinkRecord } from '../checkpoint.ts';
import type { LinkFinding } from '../finding.ts';
import { isOwnKey } from '../target-contents.ts';

const INLINE_BYTES_MAX = 64 * 1024;
const nothing = (): void => undefined;

export class DiscardedSnapshot {
  /** Where the stream begins. */
  readonly checkpoint: Checkpoint;
  #keys = 0;
  #bytes = 0;
  readonly #reader: RawSnapshotReader;

  constructor(checkpoint: Checkpoint) {
    this.checkpoint = checkpoint;
    this.#reader = new RawSnapshotReader(
      {
        header: nothing,
        sizes: nothing,
        aux: nothing,
        functionLibrary: nothing,
        moduleAux: nothing,
        entry: ({ key }) => this.#count(key),
        largeStart: ({ key }) => this.#count(key),
        largePart: nothing,
        largeEnd: nothing,
      },
      { maxInlineBytes: INLINE_BYTES_MAX },
    );
  }

  #count(key: Buffer): void {
    if (!isOwnKey(key)) this.#keys++;
  }

  /** @throws SyncError SNAPSHOT_CORRUPT. */
  push(chunk: Buffer): void {
    this.#bytes += chunk.length;
    this.#reader.push(chunk);
  }

  /** @throws SyncError SNAPSHOT_CORRUPT when it is not complete. */
  finish(): LinkFinding {
    this.#reader.finish();
    return {
      code: 'SNAPSHOT_DISCARDED',
      severity: 'notice',
      message: `Full sync: discarded (${this.#keys} keys, ${this.#bytes} bytes). The link applies what is written from offset ${this.checkpoint.offset} on.`,
      evidence: { keys: this.#keys, bytes: this.#bytes, offset: String(this.checkpoint.offset) },
    };
  }
}

/**
 * What was written between the old place and the new snapshot is only in that snapshot: to discard it too would lose it, to
 * load it would bring older values of the target's own data back.
 *
 * @throws SyncError POLICY unless the operator wants it loaded.
 */
export function refuseSecondSnapshot(
  before: LinkRecord,
  policy: FullResyncPolicy | undefined,
  cause: string,
): void {
  const isFirst = before.checkpoint === null && !before.loading;
  if (isFirst || policy === 'reload') return;
  throw new SyncError(
    'POLICY',
    `The source does not let the link continue, and a link that only follows has no use for a snapshot: ${cause}`,
    {
      hint: 'The target is as it was. Writes of the source since then are not on it: compare both, then delete the checkpoint to follow from now on, or set engine.fullResync to "reload" to load everything the source has over it.',
    },
  );
}

/**
 * A snapshot does not tell which of its values are newer than the target's, nor what was deleted: where a rule promises that
 * all members of a circle end equal, a second one would break the promise without a word.
 *
 * @throws SyncError POLICY unless there is no such rule, or the operator wants it loaded.
 */
export function refuseUnresolved(
  { conflict, fullResync }: Pick<EngineOptions, 'conflict' | 'fullResync'>,
  cause: string,
): void {
  if ((conflict ?? 'overwrite') === 'overwrite' || fullResync === 'reload') return;
  throw new SyncError(
    'POLICY',
    `The source does not let the link continue, and a snapshot does not tell which of its values win (engine.conflict: ${conflict}): ${cause}`,
    {
      hint: 'The target is as it was. Compare all members, or set engine.fullResync to "reload" to load everything the source has over it and repair the rest by hand. A larger repl-backlog-size on the source lets links continue.',
    },
  );
}
