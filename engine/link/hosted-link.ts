/** One link inside a replicator: its lane, its state as its parent is told, and where it is in the source's stream. */
import { ClusterLane } from '../apply/cluster/cluster-lane.ts';
import { Lane, type LaneEvents, type LaneOptions } from '../apply/lane.ts';
import type { LinkLane } from '../apply/link-lane.ts';
import { count } from '../apply/counters.ts';
import type { LinkFinding } from '../apply/finding.ts';
import { GrowingFindings } from '../apply/growing-findings.ts';
import type { ClusterEntry, Whereabouts } from '../connect/discovery.ts';
import { asError, SyncError } from '../errors.ts';
import type { MovableReader } from '../log/movable-reader.ts';
import type { ReplicationPosition } from '../psync/handshake.ts';
import type { DeskMember } from './conflict/conflict-desk.ts';
import { ClusterAttendants } from './cluster-attendants.ts';
import type { ConflictDesks, DeskSeat } from './conflict/conflict-desks.ts';
import { DEFAULT_EXPIRY_OPTIONS, type GroupPeer, type LinkOptions } from './options.ts';
import type { FromReplicator, LinkState, ReplicatorError } from './messages.ts';
import { TargetAttendants, type Attendants } from './target-attendants.ts';

type Emit = (message: FromReplicator) => void;

/** What a link asks of whoever feeds it. */
export interface LinkFeed {
  /** How far the source's stream was read; null or undefined before. */
  readonly position: ReplicationPosition | null | undefined;
  readonly log: { readonly memoryBytes: number; readonly diskBytes: number };
  /** Tells the source now what is applied. */
  acknowledge(): void;
  /** The link reads no more. */
  remove(link: HostedLink): void;
}

export class HostedLink {
  readonly id: string;
  readonly lane: LinkLane;
  target: Whereabouts;
  /** Where the other groups of a Codis cluster are. */
  peers: readonly GroupPeer[];
  /** Ends this link alone, with the abort's reason. */
  readonly ending = new AbortController();
  /** Set while it reads a log. */
  reader: MovableReader | undefined;
  feed: LinkFeed | undefined;
  /** While the lane runs, and after. */
  attendants: Attendants | undefined;
  /** Its place where conflicts of a circle are seen. */
  readonly seat: DeskSeat | undefined;
  readonly #options: Omit<LaneOptions, 'events'>;
  readonly #emit: Emit;
  /** Moves of slots at the source: many small ones are one fact. */
  readonly #moved = new GrowingFindings((finding) => this.report(finding));
  #state: LinkState = 'NotStarted';
  /** The snapshot is applied, or was not needed. A link that is paused right then has no stream yet. */
  #isSynchronized = false;
  /** Set while the receiver, the target, or both are being waited for: the newest reason. */
  readonly waitingFor = new Map<'source' | 'target', string>();

  constructor(options: Omit<LaneOptions, 'events'>, emit: Emit, desks?: ConflictDesks) {
    this.id = options.link.id;
    this.target = options.link.target;
    this.peers = options.link.group?.peers ?? [];
    this.#options = options;
    this.#emit = emit;
    this.seat = desks && this.#takeSeat(desks);
    this.lane = openLane({
      ...options,
      conflicts: this.seat?.watch,
      peers: () => this.peers,
      durableOffset: () => this.attendants?.durableOffset,
      events: this.#events(),
    });
  }

  /** Source offset up to which the target has everything, and its replicas where that was asked for. */
  get safeOffset(): bigint {
    const { appliedOffset } = this.lane;
    const durable = this.attendants?.durableOffset;
    return durable === undefined || appliedOffset < durable ? appliedOffset : durable;
  }

  /** Applies until the end, while the target is watched. @throws what `Lane.run` throws; what a policy stops the link with. */
  async apply(reader: MovableReader, signal: AbortSignal): Promise<void> {
    const { link } = this.#options;
    if (isCluster(link.target) && link.group !== undefined) this.report(UNFENCED_GROUPS);
    const attendants = this.#attend();
    this.attendants = attendants;
    try {
      await this.lane.run(reader, signal);
      await attendants.close(false);
      if (attendants.verdict) throw attendants.verdict;
    } finally {
      await attendants.close(signal.aborted);
    }
  }

  /** Only a link of a circle has one. */
  #takeSeat(desks: ConflictDesks): DeskSeat | undefined {
    const { link, engine, source } = this.#options;
    const { origins, circle } = link;
    if (origins === undefined || circle === undefined || source === undefined) return undefined;
    const member: DeskMember = {
      source: origins.source,
      link: this.id,
      heartbeatMs: engine.heartbeatMs,
      heartbeatPrefix: engine.heartbeatPrefix,
      sourceWhereabouts: source,
      deferredDeadlineMs: (database, key) => this.lane.deferredDeadlineMs(database, key),
      onFinding: (finding) => this.report(finding),
      onCount: (what, by) => count(this.lane.counters.handled, what, by),
    };
    return desks.join(member, {
      policy: engine.conflict ?? 'overwrite',
      order: circle.members,
      listFile: circle.listFile,
      graceMs: (engine.expiry ?? DEFAULT_EXPIRY_OPTIONS).graceMs,
    });
  }

  get state(): LinkState {
    return this.#state;
  }

  get isOver(): boolean {
    return this.#state === 'Failed' || this.#state === 'Finished' || this.#state === 'InitializeFailed';
  }

  pause(): void {
    if (this.lane.paused) return;
    this.lane.pause();
    this.transition('Suspending', 'paused');
  }

  resume(): void {
    if (!this.lane.paused) return;
    this.lane.resume();
    this.transition(this.#stateNow, 'resumed');
  }

  /** The receiver has an answer of the source. */
  syncStarted(mode: 'full' | 'partial', at: ReplicationPosition, cause: string): void {
    if (this.isOver) return;
    this.waitingFor.delete('source');
    const offset = String(at.offset);
    this.#emit({ kind: 'sync-started', link: this.id, mode, replid: at.replid, offset, cause });
    if (mode === 'partial' && this.#state === 'Retrying' && this.waitingFor.size === 0)
      this.transition(this.#stateNow, 'stream continued');
  }

  wait(what: 'source' | 'target', cause: string): void {
    if (this.isOver) return;
    const isNews = this.waitingFor.get(what) !== cause;
    this.waitingFor.set(what, cause);
    if (this.#state === 'Retrying' && isNews)
      this.#emit({ kind: 'log', level: 'warn', message: `${this.id} waits for its ${what}: ${cause}` });
    this.transition(this.#stateNow, cause);
  }

  /** Slots came to, or left, the source shard: followed by a cluster, unless a policy says otherwise. */
  sourceMoved({ came, went }: { came: number; went: number }): void {
    if (this.isOver) return;
    const { link, engine } = this.#options;
    const follows = isCluster(link.target) && engine.topologyChange !== 'fail';
    this.#moved.add(
      {
        code: 'TOPOLOGY_CHANGED',
        severity: follows ? 'warning' : 'error',
        message: `Slots have left the source shard or come to it. ${follows ? 'The link follows.' : 'The link stops.'}`,
        evidence: { side: 'source', policy: engine.topologyChange ?? 'follow' },
      },
      { came, went },
      came + went,
    );
    const message = `${went} slots have left the source shard, ${came} have come to it.`;
    if (!follows) this.ending.abort(topologyStop(message, link));
  }

  /** The source shard is no more, and what it had is others' by now: the link is about to end in order. */
  sourceGone(): void {
    const { attendants } = this;
    const watchEnds = attendants instanceof ClusterAttendants && attendants.isWatching;
    this.report({
      code: 'TOPOLOGY_CHANGED',
      severity: 'notice',
      message: `The source shard has given all its slots to others and is gone. Their links have everything: this one ends.${watchEnds ? ' What the target evicts, and what others write there, is not looked for any more.' : ''}`,
      evidence: { side: 'source', shard: 'gone' },
    });
  }

  /** It reads what another receiver receives from now on: that one's source is there. */
  sourceIsThere(): void {
    this.#working('source');
  }

  fail(error: unknown): void {
    if (this.isOver) return;
    const failure = describeFailure(error);
    const initializing = this.lane.appliedOffset < 0n;
    this.transition(initializing ? 'InitializeFailed' : 'Failed', failure.message);
    this.#emit({ kind: 'link-failed', link: this.id, error: failure });
  }

  report(finding: LinkFinding): void {
    this.#emit({ kind: 'finding', link: this.id, ...finding });
  }

  transition(to: LinkState, cause: string): void {
    if (this.#state === to) return;
    const from = this.#state;
    this.#state = to;
    const position = this.feed?.position;
    this.#emit({
      kind: 'link-state',
      link: this.id,
      from,
      to,
      cause,
      ...(position ? { replid: position.replid, offset: String(position.offset) } : {}),
    });
  }

  #events(): LaneEvents {
    return {
      snapshotStarted: () => {
        this.#isSynchronized = false;
        // The source may have gone away since it sent the snapshot: then it is still waited for.
        this.transition(this.waitingFor.size > 0 ? 'Retrying' : 'Initializing', 'snapshot received');
      },
      synchronized: (mode) => this.#synchronized(mode),
      waiting: (error) => this.wait('target', error.message),
      working: () => this.#working('target'),
      finding: (finding) => this.report(finding),
      ackRequested: () => this.feed?.acknowledge(),
      advanced: () => this.attendants?.advanced(),
    };
  }

  #attend(): Attendants {
    const { link, engine } = this.#options;
    const common = {
      link,
      engine,
      counters: this.lane.counters,
      places: () => this.lane.places,
      appliedOffset: () => this.lane.appliedOffset,
      onFinding: (finding: LinkFinding): void => this.report(finding),
      onStop: (error: Error): void => this.ending.abort(error),
      onDurable: (): void => this.feed?.acknowledge(),
    };
    const { target } = link;
    if (isCluster(target))
      return new ClusterAttendants({
        ...common,
        target: () => (isCluster(this.target) ? this.target : target),
      });
    return new TargetAttendants({ ...common, target: () => this.target });
  }

  #synchronized(mode: 'full' | 'partial'): void {
    this.#isSynchronized = true;
    const { counters } = this.lane;
    this.#emit({
      kind: 'sync-finished',
      link: this.id,
      mode,
      keys: mode === 'full' ? counters.snapshotKeys : 0,
      bytes: mode === 'full' ? counters.snapshotBytes : 0,
      durationMs: mode === 'full' ? counters.snapshotDurationMs : 0,
    });
    this.waitingFor.delete('target');
    this.attendants?.synchronized();
    const to = this.lane.paused ? 'Suspending' : 'Synchronizing';
    // The source may have gone away while its snapshot was applied: then it is still waited for.
    if (this.waitingFor.size === 0)
      this.transition(to, mode === 'full' ? 'full sync finished' : 'continued from checkpoint');
    this.feed?.acknowledge();
  }

  #working(what: 'source' | 'target'): void {
    this.waitingFor.delete(what);
    if (this.#state !== 'Retrying' || this.waitingFor.size > 0) return;
    this.transition(this.#stateNow, `the ${what} works again`);
  }

  /** The state of a link that is not over. One that is paused stays so whatever it waits for besides. */
  get #stateNow(): LinkState {
    if (this.lane.paused) return 'Suspending';
    if (this.waitingFor.size > 0) return 'Retrying';
    return this.#isSynchronized ? 'Synchronizing' : 'Initializing';
  }
}

/** Of groups of a Codis cluster. */
const UNFENCED_GROUPS: LinkFinding = {
  code: 'OUT_OF_SCOPE',
  severity: 'warning',
  message:
    'Keys that move between the groups are not compared on a cluster target: a late link may remove or overwrite them. Move no slots while this link runs, or compare afterwards.',
  evidence: { side: 'source' },
};

function isCluster(target: Whereabouts): target is ClusterEntry {
  return 'kind' in target && target.kind === 'cluster';
}

function topologyStop(message: string, { origins, target }: LinkOptions): SyncError {
  const end =
    origins === undefined
      ? 'Finish the resharding, clear the target and start over.'
      : 'Finish the resharding, compare both sides, and begin the links anew.';
  const hint = isCluster(target)
    ? `The link stops, because engine.topologyChange is "fail". ${end}`
    : `Only a cluster as target can follow. ${end}`;
  return new SyncError('POLICY', `The source cluster is being resharded: ${message}`, { hint });
}

/** To one server, or to a cluster. */
function openLane(options: LaneOptions): LinkLane {
  const { link } = options;
  const { target } = link;
  return isCluster(target) ? new ClusterLane({ ...options, link: { ...link, target } }) : new Lane(options);
}

export function describeFailure(error: unknown): ReplicatorError {
  if (error instanceof SyncError) {
    return {
      code: error.code,
      message: error.message,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      ...(error.where === undefined ? {} : { where: error.where }),
    };
  }
  const failure = asError(error);
  return { code: 'INTERNAL', message: failure.stack ?? failure.message };
}
