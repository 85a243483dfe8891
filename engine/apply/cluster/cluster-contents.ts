/** What is on a cluster target: whether the link's slots are empty, which other links write there, what a killed engine left. */
import { textOf } from '../../resp/reply-text.ts';
import { checkpointKey, loadingKey, ownerKey } from '../checkpoint.ts';
import { TEMPORARY_PREFIX } from '../rebuild/temporary-key.ts';
import { isOwnKey, scanKeys } from '../target-contents.ts';
import { unlinkEach } from './barriers.ts';
import type { ClusterTarget } from './cluster-target.ts';
import { taggedLink } from './slot-checkpoints.ts';

export interface ClusterContentsOptions {
  cluster: ClusterTarget;
  link: string;
  /** Links of the other shards of the same source: what is theirs is not ours. */
  siblings: readonly string[];
  /** Whether a key is the link's own; undefined: all are. */
  owns: ((key: Uint8Array) => boolean) | undefined;
}

export class ClusterContents {
  readonly #options: ClusterContentsOptions;

  constructor(options: ClusterContentsOptions) {
    this.#options = options;
  }

  /** No key of the link's slots but the engine's own. @throws SyncError. */
  async isEmpty(signal: AbortSignal): Promise<boolean> {
    const { cluster, owns } = this.#options;
    let found = false;
    await cluster.useAll(signal, async (connection) => {
      if (found) return;
      for await (const { keys } of scanKeys(connection)) {
        found = keys.some((key) => !isOwnKey(key) && owns?.(key) !== false);
        if (found) return;
      }
    });
    return !found;
  }

  /**
   * All data in the link's slots is its own source's: there is none, or links of other shards of that source have brought it,
   * before the slots came to this one. @throws SyncError.
   */
  async isOwn(signal: AbortSignal): Promise<boolean> {
    return (await this.isEmpty(signal)) || (await this.#hasSiblings(signal));
  }

  /** Links of other shards of the same source are there, and were alone when they began. */
  async #hasSiblings(signal: AbortSignal): Promise<boolean> {
    const { cluster, siblings } = this.#options;
    for (const link of siblings) {
      for (const key of [checkpointKey(taggedLink(link)), loadingKey(taggedLink(link))]) {
        const alone = await cluster.useKey(key, signal, (connection) =>
          connection.call('HGET', key, 'alone'),
        );
        if (alone !== null) return textOf(alone) === '1';
      }
    }
    return false;
  }

  /**
   * Links that are neither this one nor of the same source, by one key of each: its record, or who owns it, which is there also
   * while the record changes its name. @throws SyncError.
   */
  async otherLinks(signal: AbortSignal): Promise<string[]> {
    const { cluster, link, siblings } = this.#options;
    const own = new Set([link, ...siblings].map((id) => taggedLink(id)));
    const found = new Map<string, string>();
    await cluster.useAll(signal, async (connection) => {
      for (const prefix of [ownerKey(''), checkpointKey('')]) {
        for await (const { keys } of scanKeys(connection, `${prefix}{*}`)) {
          for (const key of keys.map(String))
            if (!own.has(key.slice(prefix.length))) found.set(key.slice(prefix.length), key);
        }
      }
    });
    return [...found.values()];
  }

  /** Removes what an engine that was killed while it built a large value left behind. @throws SyncError. */
  async removeTemporaries(signal: AbortSignal): Promise<void> {
    const { cluster, link } = this.#options;
    await cluster.useAll(signal, async (connection) => {
      for await (const { keys } of scanKeys(connection, `${TEMPORARY_PREFIX}*`)) {
        const own = keys.filter((key) => key.toString('latin1').endsWith(`}${link}`));
        await unlinkEach(connection, own);
      }
    });
  }
}
