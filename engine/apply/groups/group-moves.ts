/** What a link of a Codis group does besides: remembers keys that come from other groups, and puts right what was late. */
import type { Connection } from '../../connect/connection.ts';
import type { Whereabouts } from '../../connect/discovery.ts';
import type { GroupOptions, GroupPeer } from '../../link/options.ts';
import { movedKey } from '../checkpoint.ts';
import { count, type LinkCounters } from '../counters.ts';
import type { LinkFinding } from '../finding.ts';
import type { GrowingFindings } from '../growing-findings.ts';
import { PeerMarks } from './peer-marks.ts';
import { wordFirstError } from '../target-contents.ts';
import type { ReconciliationOptions } from '../reconciliation.ts';
import { memberOf, StrayKeys } from './stray-keys.ts';
import { GroupHealer } from './group-healer.ts';

const LATE_MS = 1000;

const REMEMBER_AT_ONCE = 500;

export interface GroupMovesOptions {
  link: string;
  group: GroupOptions;
  /** Where the other groups are now. */
  peers: () => readonly GroupPeer[];
  source: () => Whereabouts;
  target: () => Whereabouts;
  heartbeatPrefix: string;
  heartbeatMs: number;
  counters: LinkCounters;
  growing: GrowingFindings;
  appliedOffset: () => bigint;
  onFinding: (finding: LinkFinding) => void;
}

export class GroupMoves {
  readonly strays: StrayKeys;
  readonly #healer: GroupHealer;
  readonly #marks: PeerMarks;
  readonly #options: GroupMovesOptions;
  readonly #ending = new AbortController();
  /** A second snapshot had not got everything. */
  #hasCompared = false;
  #running: Promise<void> | undefined;

  constructor(options: GroupMovesOptions) {
    this.#options = options;
    const { link, group, heartbeatPrefix, heartbeatMs, growing, onFinding, target, appliedOffset, counters } =
      options;
    const { slots, peers } = group;
    this.#marks = new PeerMarks({ link, target, peers: peers.map((peer) => peer.link) });
    this.strays = new StrayKeys({
      link,
      slots,
      heartbeatPrefix,
      growing,
      onFinding,
      heartbeatMs,
      lateMs: group.lateMs ?? LATE_MS,
      readPeers: () => this.#marks.read(),
    });
    const others = peers.map((peer) => ({
      link: peer.link,
      source: () => options.peers().find((each) => each.link === peer.link)?.source ?? peer.source,
    }));
    this.#healer = new GroupHealer({
      link,
      strays: this.strays,
      target,
      groups: [{ link, source: options.source }, ...others],
      appliedOffset,
      onHealed: (keys) => count(counters.handled, 'moved keys put right', keys),
      onFinding,
    });
  }

  /** Keys that may not be right yet; 0 while the stream has not begun. */
  get pending(): number {
    return this.#running === undefined ? 0 : this.#healer.pending;
  }

  /** What a reconciliation does instead of removing keys. */
  get comparison(): Pick<ReconciliationOptions, 'owns' | 'deleteKeys' | 'keepLibraries'> {
    return {
      owns: (key) => this.strays.owns(key),
      deleteKeys: (connection, database, keys) => this.#remember(connection, database, keys),
      keepLibraries: true,
    };
  }

  /**
   * These are on the target and not in the new snapshot of the group: they are gone, or another group's by now. Told to the
   * target, database 0, before anything says that the snapshot is applied.
   */
  async #remember(connection: Connection, database: number, keys: readonly Buffer[]): Promise<number> {
    for (let from = 0; from < keys.length; from += REMEMBER_AT_ONCE) {
      const members = keys.slice(from, from + REMEMBER_AT_ONCE).map((key) => memberOf({ database, key }));
      const replies = await connection.pipeline([['SADD', movedKey(this.#options.link), ...members]]);
      if (typeof replies[0] !== 'number') throw wordFirstError('SADD', replies, connection);
    }
    this.#hasCompared ||= keys.length > 0;
    this.#healer.lookAgain();
    return keys.length;
  }

  /** The stream runs. */
  start(): void {
    this.#running ??= this.#healer.run(this.#ending.signal);
  }

  /** The sources are quiet. */
  settle(): void {
    this.#healer.settle();
  }

  /** Ends it. What is not right by now is said, and still known to the next start. */
  async close(): Promise<void> {
    const { pending } = this;
    this.#ending.abort();
    await this.#running;
    await this.#marks.close();
    if (pending > 0 && (this.strays.hasMoved || this.#hasCompared))
      this.#options.onFinding(unsettled(pending));
  }
}

function unsettled(keys: number): LinkFinding {
  return {
    code: 'TOPOLOGY_CHANGED',
    severity: 'warning',
    message: `Keys that have moved between the groups are not compared with them yet (${keys}): the links of all groups must run for that. The next start goes on.`,
    evidence: { side: 'source', keys },
  };
}
