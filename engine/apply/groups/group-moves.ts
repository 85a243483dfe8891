/** What a link of a Codis group does besides: remembers keys that come from other groups, and puts right what was late. */
import type { Whereabouts } from '../../connect/discovery.ts';
import type { GroupOptions, GroupPeer } from '../../link/options.ts';
import { count, type LinkCounters } from '../counters.ts';
import type { LinkFinding } from '../finding.ts';
import type { GrowingFindings } from '../growing-findings.ts';
import { PeerMarks } from './peer-marks.ts';
import { StrayKeys } from './stray-keys.ts';
import { GroupHealer } from './group-healer.ts';

const LATE_MS = 1000;

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
    if (pending > 0 && this.strays.hasMoved) this.#options.onFinding(unsettled(pending));
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
