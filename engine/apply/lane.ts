/**
 * One link's way from the replication log to its target.
 *
 *   snapshot-start ─▶ SNAPSHOT ─snapshot-end─▶ reconcile ─▶ checkpoint ─▶ STREAM ◀─ stream-start (goes on seamlessly)
 *                        └─ snapshot-aborted ─▶ IDLE, until the next snapshot-start
 *
 * The lane reads its own cursor, so a slow target holds up nobody else. It owns what its target keeps of the link: the
 * checkpoint, or from the first to the last command of a full sync the mark that there is only half of one.
 */
import type { Connection } from '../connect/connection.ts';
import type { Whereabouts } from '../connect/discovery.ts';
import { asError, SyncError } from '../errors.ts';
import type { LogItem } from '../log/item.ts';
import type { LogReader } from '../log/log-cursor.ts';
import type { EngineOptions, GroupPeer, LinkOptions } from '../link/options.ts';
import type { SourceSlots } from '../link/source-slots.ts';
import { textOf } from '../resp/reply-text.ts';
import { readLinkRecord, type Checkpoint, waitKey } from './checkpoint.ts';
import { newCounters, type LinkCounters } from './counters.ts';
import { endDeferral } from './expiry/end-deferral.ts';
import { openLaneExpiry, type LaneExpiry } from './expiry/lane-expiry.ts';
import { ExpiryRecovery } from './expiry/recovery.ts';
import { SourceTimeline } from './expiry/source-timeline.ts';
import { FindingLimit, type LinkFinding } from './finding.ts';
import { stoppedHalfWay } from './full-resync.ts';
import { GroupMoves } from './groups/group-moves.ts';
import { GrowingFindings } from './growing-findings.ts';
import { Pause, SkippedBytes, takeUntilClosed } from './lane-course.ts';
import { LaneFullSync } from './lane-full-sync.ts';
import type { LanePlace, LinkLane } from './link-lane.ts';
import { lookAtSlots } from './slot-look.ts';
import { movedFinding } from './moved-target.ts';
import type { ConflictWatch } from './origin/conflict-watch.ts';
import { ownPath } from './origin/origin-path.ts';
import { OomWatch, type LinkPlace } from './oom-watch.ts';
import { Ownership } from './ownership.ts';
import { ScriptBook } from './script-book.ts';
import { StreamApplier } from './stream-applier.ts';
import { degradedFindings, measureTarget, UNKNOWN_TARGET, type TargetFacts } from './target-facts.ts';
import { watchWaits } from './target-waits.ts';
import { Target } from './target.ts';

export interface LaneEvents {
  /** The snapshot is on the target, checkpoint written: the link is in sync. */
  synchronized(mode: 'full' | 'partial'): void;
  snapshotStarted(): void;
  /** The target does not take what we send; another try follows after `waitMs`. */
  waiting(error: Error, waitMs: number): void;
  working(): void;
  finding(finding: LinkFinding): void;
  /** The source asked where we are (REPLCONF GETACK). */
  ackRequested(): void;
  /** `appliedOffset` has moved on. */
  advanced?(): void;
}

export interface LaneOptions {
  link: LinkOptions;
  engine: EngineOptions;
  /** Where temporary files may be made. */
  spoolFolder: string;
  events: LaneEvents;
  random: () => number;
  now: () => number;
  wallClock: () => number;
  /** The source's clock minus ours, ms; undefined while it is not known. */
  sourceOffsetMs?: () => number | undefined;
  /** Which time of the source is where in its stream; shared by the lanes of a source. */
  timeline?: SourceTimeline;
  /** Sees writes of both sides of a pair to one key. */
  conflicts?: ConflictWatch | undefined;
  /** Where the source is to be found now; without it deadlines that a crash left deferred stay so. */
  source?: () => Whereabouts;
  /** Where the other groups are now, when the source is one of several. */
  peers?: () => readonly GroupPeer[];
  /** Slots of the source shard, when it is one of a cluster. */
  sourceSlots?: SourceSlots | undefined;
  /** Source offset up to which replicas of the target have everything; undefined when nobody asked for that. */
  durableOffset?: () => bigint | undefined;
}

export class Lane implements LinkLane {
  readonly id: string;
  /** One server has no slots. */
  readonly unsettled = 0;
  readonly counters: LinkCounters = newCounters();
  readonly #options: LaneOptions;
  readonly #target: Target;
  readonly #findings: FindingLimit;
  readonly #expiry: LaneExpiry;
  readonly #recovery: ExpiryRecovery;
  readonly #moves: GroupMoves | undefined;
  /** Facts that repeat: told again as they grow, and at the end. */
  readonly #growing: GrowingFindings;
  /** Bodies of the scripts that the source has sent as text. */
  readonly #scripts = new ScriptBook();
  /** What the target takes, as of the last time the link began anew there. */
  #facts: TargetFacts = UNKNOWN_TARGET;
  #whereabouts: Whereabouts;
  readonly #fullSync: LaneFullSync;
  #stream: StreamApplier | undefined;
  /** Where the target is, before the stream begins; undefined while it has nothing, or half of a full sync. */
  #checkpoint: Checkpoint | undefined;
  /** Stream bytes before the checkpoint that another lane of the same source still needs. */
  readonly #skipped = new SkippedBytes();
  /** Ends what this lane runs, with what failed. */
  readonly #ending = new AbortController();
  readonly #pause = new Pause();

  constructor(options: LaneOptions) {
    this.id = options.link.id;
    this.#options = options;
    const { engine, link, events, random, now } = options;
    this.#findings = new FindingLimit((finding) => events.finding(finding));
    this.#growing = new GrowingFindings((finding) => events.finding(finding));
    const onFinding = (finding: LinkFinding): void => this.#findings.report(finding);
    this.#expiry = openLaneExpiry({
      options: engine.expiry,
      spoolFolder: options.spoolFolder,
      diskBytesMax: engine.logDiskBytes,
      timeline: options.timeline ?? new SourceTimeline(now),
      wallClock: options.wallClock,
      sourceOffsetMs: options.sourceOffsetMs ?? (() => undefined),
      onFinding,
    });
    this.#recovery = new ExpiryRecovery({
      keeper: this.#expiry.keeper,
      source: options.source,
      targets: () => [this.#whereabouts],
      onFinding,
    });
    this.#whereabouts = link.target;
    this.#moves = this.#openMoves(onFinding);
    const ownership = new Ownership(link.id);
    const oom = new OomWatch(engine.oom, onFinding);
    this.#target = new Target({
      endpoint: link.target,
      name: `redis-sync:${link.id}`,
      replyTimeoutMs: engine.idleTimeoutMs,
      retryMs: engine.retryMs,
      random,
      now,
      ...watchWaits(this.counters, events, oom, () => this.#place),
      claim: async (connection) => {
        await ownership.claim(connection);
        await this.#expiry.watch.greet(connection);
      },
      onMoved: (from, to) => this.#findings.report(movedFinding(from, to)),
    });
    this.#fullSync = new LaneFullSync({
      lane: options,
      target: this.#target,
      counters: this.counters,
      keeper: this.#expiry.keeper,
      scripts: this.#scripts,
      moves: this.#moves,
      measure: (signal) => this.#measure(signal),
      onFinding,
    });
  }

  #openMoves(onFinding: (finding: LinkFinding) => void): GroupMoves | undefined {
    const { link, engine, source, peers } = this.#options;
    const { group } = link;
    if (group === undefined || source === undefined) return undefined;
    return new GroupMoves({
      link: link.id,
      group,
      peers: peers ?? (() => group.peers),
      source,
      target: () => this.#whereabouts,
      heartbeatPrefix: engine.heartbeatPrefix,
      heartbeatMs: engine.heartbeatMs,
      counters: this.counters,
      growing: this.#growing,
      appliedOffset: () => this.appliedOffset,
      onFinding,
    });
  }

  /** Source offset up to which everything is on the target; -1 while the stream has not begun. */
  get appliedOffset(): bigint {
    return this.#stream?.appliedOffset ?? -1n;
  }

  get #place(): LinkPlace {
    const { appliedOffset, counters } = this;
    return { where: this.#target.describe(), appliedOffset, snapshotKeys: counters.snapshotKeys };
  }

  /** Deadlines that are later on the target than at the source for now, and keys that have moved and may not be right. */
  get deferred(): number {
    return this.#expiry.keeper.count + (this.#moves?.pending ?? 0);
  }

  deferredDeadlineMs(database: number, key: Buffer): number | undefined {
    return this.#expiry.keeper.deferredDeadlineMs(database, key);
  }

  /** The cutover: the source is quiet and everything is applied. The target gets its true deadlines. */
  settleExpiries(): void {
    this.#stream?.settleExpiries();
    this.#moves?.settle();
  }

  get paused(): boolean {
    return this.#pause.on;
  }

  /** What it lacks is found by the next envelope, which ends the link. */
  get places(): readonly LanePlace[] {
    const place = { name: this.id, whereabouts: this.#whereabouts, ownKey: waitKey(this.id) };
    return [{ ...place, holds: () => Promise.resolve(true) }];
  }

  /**
   * Connects, looks whether the target can be written to, reads where this link was. Waits for a target that is not ready.
   *
   * @returns where the link can continue, or null.
   * @throws SyncError; the signal's reason. Then the target is closed.
   */
  async prepare(signal: AbortSignal): Promise<Checkpoint | null> {
    try {
      const record = await this.#target.attempt(signal, async (connection) => {
        const found = await readLinkRecord(connection, this.id);
        await this.#refuseReplica(connection, found.checkpoint !== null);
        return found;
      });
      this.#checkpoint = record.checkpoint ?? undefined;
      await this.#measure(signal);
      this.#target.worked();
      return record.checkpoint;
    } catch (error) {
      await this.#target.close();
      throw error;
    }
  }

  /** The target is to be found elsewhere from now on, or with another login. */
  relocate(target: Whereabouts, signal: AbortSignal): Promise<void> {
    this.#whereabouts = target;
    return this.#target.relocate(target, signal);
  }

  /** Stop applying; reading from the source goes on into the log. */
  pause(): void {
    this.#pause.begin();
  }

  resume(): void {
    this.#pause.end();
  }

  /**
   * Applies until the log says `closed`; then everything complete is applied, and the target has all of it.
   *
   * @throws SyncError what stops the link; ABORTED when that is in the middle of a full sync; the signal's reason.
   */
  async run(cursor: LogReader, signal: AbortSignal): Promise<void> {
    const ended = AbortSignal.any([signal, this.#ending.signal]);
    // Whoever waits for an answer of the target wakes up when the connection goes.
    const onEnded = (): void => void this.#target.close();
    ended.addEventListener('abort', onEnded, { once: true });
    try {
      await takeUntilClosed(cursor, this.#pause, (item) => this.#take(item, ended), ended);
      if (this.#stream === undefined && this.#checkpoint === undefined) throw stoppedHalfWay();
      await this.#stream?.drain();
      await this.#endDeferral(ended);
    } catch (error) {
      signal.throwIfAborted();
      throw asError(error);
    } finally {
      this.#ending.abort();
      this.#fullSync.release();
      await this.#recovery.close();
      await this.#moves?.close();
      await this.#stream?.settled();
      this.#growing.flush();
      await this.#target.close();
      await this.#expiry.keeper.close();
      await this.#fullSync.close();
    }
  }

  async #endDeferral(signal: AbortSignal): Promise<void> {
    if (this.#stream === undefined) return;
    await endDeferral({
      stream: this.#stream,
      target: this.#target,
      expiry: this.#expiry,
      onFinding: (finding) => this.#findings.report(finding),
      signal,
    });
  }

  async #take(item: Exclude<LogItem, { kind: 'closed' }>, signal: AbortSignal): Promise<void> {
    switch (item.kind) {
      case 'bytes':
        await lookAtSlots(this.#options.link.origins && this.#options.sourceSlots, item, signal);
        return this.#fullSync.running
          ? this.#fullSync.push(item.chunk)
          : this.#stream?.push(this.#skipped.cut(item.chunk), item.atMs);
      case 'snapshot-start':
        return this.#beginFullSync(item, signal);
      case 'snapshot-end':
        return this.#endFullSync(signal);
      case 'snapshot-aborted':
        return this.#fullSync.abandon();
      case 'stream-start':
        return this.#beginStream(item.replid, item.offset, signal);
    }
  }

  async #measure(signal: AbortSignal): Promise<TargetFacts> {
    const facts = await this.#target.attempt(signal, measureTarget);
    for (const finding of degradedFindings(facts, this.#facts)) this.#findings.report(finding);
    this.#facts = facts;
    return facts;
  }

  /** One that the link has written to before was a primary then, and may be one again: it waits, as for any READONLY. */
  async #refuseReplica(connection: Connection, isKnown: boolean): Promise<void> {
    const role = await connection.tryCall('ROLE');
    if (!Array.isArray(role) || textOf(role[0]) !== 'slave') return;
    throw new SyncError(
      'TARGET_NOT_WRITABLE',
      `The target is a replica of ${textOf(role[1])}:${textOf(role[2])}.`,
      {
        where: this.#target.describe(),
        retryable: isKnown,
        hint: 'Point the link to the primary.',
      },
    );
  }

  async #beginFullSync(item: LogItem & { kind: 'snapshot-start' }, signal: AbortSignal): Promise<void> {
    await this.#stream?.drain();
    await this.#stream?.settled();
    await this.#fullSync.abandon();
    const before = await this.#fullSync.admit(item, signal);
    this.#stream = undefined;
    this.#checkpoint = undefined;
    await this.#fullSync.begin(item, before, signal);
  }

  async #endFullSync(signal: AbortSignal): Promise<void> {
    const checkpoint = await this.#fullSync.end(signal);
    if (checkpoint === undefined) return;
    this.#checkpoint = checkpoint;
    this.#options.events.synchronized('full');
  }

  #beginStream(replid: string, offset: bigint, signal: AbortSignal): undefined {
    if (this.#stream !== undefined) {
      // Reconnected: the bytes join where they stopped.
      this.#stream.adoptReplid(replid);
      this.counters.partialResyncs++;
      return;
    }
    const checkpoint = this.#skipped.upTo(this.#checkpoint, offset, this.id);
    const { engine, events, wallClock, link } = this.#options;
    const { origins } = link;
    const resumed = !this.counters.snapshotDone;
    if (resumed && checkpoint.graceMs) this.#expiry.keeper.inherit(checkpoint.graceMs);
    this.#recovery.start();
    this.#moves?.start();
    this.counters.lastWriteOffset = checkpoint.offset;
    this.#stream = new StreamApplier({
      link: link.id,
      target: this.#target,
      engine,
      counters: this.counters,
      start: { ...checkpoint, replid, ...(origins && { path: ownPath(origins), alone: false }) },
      origins,
      conflicts: this.#options.conflicts,
      strays: this.#moves?.strays,
      foreignKeys: link.foreignKeys,
      onAckRequested: () => events.ackRequested(),
      onAdvanced: () => events.advanced?.(),
      durableOffset: () => this.#options.durableOffset?.(),
      // The lane may be waiting for the source to say something.
      onFailed: (error) => this.#ending.abort(error),
      onFinding: (finding) => this.#findings.report(finding),
      growing: this.#growing,
      scripts: this.#scripts,
      wallClock,
      facts: this.#facts,
      sourceOffsetMs: this.#options.sourceOffsetMs ?? (() => undefined),
      expiry: this.#expiry,
      signal,
    });
    if (!resumed) return;
    this.counters.partialResyncs++;
    events.synchronized('partial');
  }
}
