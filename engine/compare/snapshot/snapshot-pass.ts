/**
 * The pass over all keys from snapshots: the cheapest full read of a server there is. A forked child serializes, the
 * serving process hardly notices, no key is touched, and values arrive without a question per key.
 *
 *   source nodes ──snapshot──▶ DigestReader ──▶ ┐
 *                                               JoinTable ──▶ equal: counted and forgotten
 *   target nodes ──snapshot──▶ DigestReader ──▶ ┘        └──▶ the rest ──SCAN──▶ names of the suspects
 *
 * The two snapshots are of different moments, and names come from a later SCAN: everything found here is a suspect until
 * it was read again. When all is equal, no key is ever scanned.
 */
import { SyncError } from '../../errors.ts';
import type { LocatedBytes } from '../../rdb/entry.ts';
import { scanKeys } from '../commands/scan-keys.ts';
import type { DifferenceClass } from '../difference.ts';
import { hashKey, NODES_MAX } from '../key-set.ts';
import { inLanes } from '../lanes.ts';
import type { PassState } from '../pass-state.ts';
import type { Node } from '../server-facts.ts';
import { DigestReader } from './digest-reader.ts';
import { JoinTable, type KeyOutcome, type KeyRecord, type Side } from './join-table.ts';
import { pullSnapshot } from './pull.ts';

export interface SnapshotPassInput {
  sources: readonly Node[];
  targets: readonly Node[];
  state: PassState;
  onKeys: (keys: number) => void;
}

/** Snapshots received at once; each costs its server a fork. */
const PULLS_AT_ONCE = 4;
/** Larger values are not held to be digested but read in pages afterwards; this many times `bigValueBytes`. */
const INLINE_FACTOR = 64;
/** Progress is told every so many keys. */
const REPORT_KEYS = 8192;

/**
 * @throws SyncError CONNECT, AUTH, PSYNC_REFUSED, SNAPSHOT_CORRUPT, PROTOCOL, ABORTED: then nothing of the state counts.
 */
export async function runSnapshotPass(input: SnapshotPassInput): Promise<void> {
  if (Math.max(input.sources.length, input.targets.length) > NODES_MAX) {
    throw new SyncError('USAGE', `At most ${NODES_MAX} nodes of a side can be compared at once.`);
  }
  const pass = new SnapshotPass(input);
  await pass.pullAll();
  await pass.nameSuspects();
}

const CLASS_OF: Readonly<Partial<Record<KeyOutcome, DifferenceClass>>> = {
  source: 'MISSING_KEY',
  target: 'EXTRA_KEY',
  type: 'TYPE_MISMATCH',
  value: 'VALUE_MISMATCH',
  expiry: 'TTL_MISMATCH',
};

interface Pull {
  side: Side;
  /** Number of the node on its side. */
  index: number;
  node: Node;
}

class SnapshotPass {
  readonly #input: SnapshotPassInput;
  readonly #state: PassState;
  readonly #table: JoinTable;
  #unreported = 0;

  constructor(input: SnapshotPassInput) {
    const { state, sources, targets } = input;
    this.#input = input;
    this.#state = state;
    this.#table = new JoinTable(
      Math.max(countKeys(sources), countKeys(targets)),
      state.settings.ttlToleranceMs,
      {
        equal: (database, type) => {
          state.tally.equalByType(database)[type]!++;
        },
        repeated: (side) => state.tally.unverifiedKey(`the key is on more than one ${side} node`),
      },
    );
  }

  async pullAll(): Promise<void> {
    const { sources, targets } = this.#input;
    await inLanes(alternate(sources, targets), PULLS_AT_ONCE, this.#state.settings.signal, (pull, signal) =>
      this.#pull(pull, signal),
    );
    this.#table.finish();
    this.#state.tableBytes = this.#table.bytes;
    this.#report();
  }

  async #pull({ side, index, node }: Pull, signal: AbortSignal): Promise<void> {
    const { settings, tally } = this.#state;
    const reader = new DigestReader(index, settings.bigValueBytes * INLINE_FACTOR, {
      record: (key, record, valueBytes) => this.#record(side, key, record, valueBytes),
      expired: () => {
        if (side === 'source') tally.expiredInFlight++;
      },
    });
    await pullSnapshot(node.endpoint, { ...settings, signal }, (chunk) => reader.push(chunk));
    reader.finish();
  }

  #record(side: Side, key: LocatedBytes, record: KeyRecord, valueBytes: number): void {
    const state = this.#state;
    if (state.isIgnored(key.bytes, key.start, key.end)) {
      const ignored = side === 'source' ? state.ignoredOnSource : state.ignoredOnTarget;
      ignored.count(record.database, 1, record.expireAtMs >= 0 ? 1 : 0);
      return;
    }
    if (side === 'source') {
      state.tally.keysRead++;
      state.tally.bytes += valueBytes;
      if (++this.#unreported === REPORT_KEYS) this.#report();
    }
    this.#table.offer(side, record);
  }

  #report(): void {
    this.#input.onKeys(this.#unreported);
    this.#unreported = 0;
  }

  /** The table knows hashes only: the keys behind those that are not equal are found by going through all keys. */
  async nameSuspects(): Promise<void> {
    const { source, target, type, value, expiry, unread } = this.#table.outcomes;
    const here = source + type + value + expiry + unread;
    const named =
      (here > 0 ? await this.#name(this.#input.sources) : 0) +
      (target > 0 ? await this.#name(this.#input.targets) : 0);
    // Gone since: on neither side any more, or about to be found so.
    this.#state.tally.transient += here + target - named;
  }

  /** Returns how many were found. */
  async #name(nodes: readonly Node[]): Promise<number> {
    const state = this.#state;
    const lanes = new Int32Array(4);
    let named = 0;
    for (const node of nodes) {
      for (const { database } of node.facts.keyspace) {
        await scanKeys(node.endpoint, database, state.settings, (bytes, start, end) => {
          hashKey(lanes, database, bytes, start, end);
          const outcome = this.#table.takeOutcome(lanes);
          if (outcome === 'none') return;
          named++;
          const seen = CLASS_OF[outcome];
          if (seen === undefined) state.bigKey(database, bytes, start, end);
          else state.suspect(database, bytes, start, end, { class: seen, type: 'unknown' });
        });
      }
    }
    return named;
  }
}

/** First source, first target, second source, …: what is read at the same time has the best chance to meet. */
function alternate(sources: readonly Node[], targets: readonly Node[]): Pull[] {
  const pulls: Pull[] = [];
  for (let index = 0; index < Math.max(sources.length, targets.length); index++) {
    const [source, target] = [sources[index], targets[index]];
    if (source !== undefined) pulls.push({ side: 'source', index, node: source });
    if (target !== undefined) pulls.push({ side: 'target', index, node: target });
  }
  return pulls;
}

function countKeys(nodes: readonly Node[]): number {
  return nodes.flatMap((node) => node.facts.keyspace).reduce((sum, row) => sum + row.keys, 0);
}
