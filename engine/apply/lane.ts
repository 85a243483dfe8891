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
import {
  encodeLoaded,
  encodeLoading,
  loadingKey,
  readLinkRecord,
  type Checkpoint,
  type LinkRecord,
} from './checkpoint.ts';
import { beginSnapshot, count, endSnapshot, newCounters, type LinkCounters } from './counters.ts';
import {
  countKeys,
  existingFinding,
  findExisting,
  isCompared,
  isReconciled,
  type ExistingData,
} from './existing-data.ts';
import { endDeferral } from './expiry/end-deferral.ts';
import { openLaneExpiry, type LaneExpiry } from './expiry/lane-expiry.ts';
import { ExpiryRecovery } from './expiry/recovery.ts';
import { SourceTimeline } from './expiry/source-timeline.ts';
import { FindingLimit, type LinkFinding } from './finding.ts';
import {
  comparedFinding,
  keptFinding,
  refuseEmptySource,
  refuseFullResync,
  removedFinding,
  stoppedHalfWay,
} from './full-resync.ts';
import { GroupMoves } from './groups/group-moves.ts';
import { GrowingFindings } from './growing-findings.ts';
import { Pause, SkippedBytes, takeUntilClosed } from './lane-course.ts';
import type { LanePlace, LinkLane } from './link-lane.ts';
import { lookAtSlots } from './slot-look.ts';
import { movedFinding } from './moved-target.ts';
import type { ConflictWatch } from './origin/conflict-watch.ts';
import { DiscardedSnapshot, refuseSecondSnapshot, refuseUnresolved } from './origin/discarded-snapshot.ts';
import { ANYWHERE, ownPath } from './origin/origin-path.ts';
import { OomWatch, type LinkPlace } from './oom-watch.ts';
import { existingStop } from './policy-stops.ts';
import { Ownership } from './ownership.ts';
import { Reconciliation } from './reconciliation.ts';
import { refuseAny } from './refusals.ts';
import { ScriptBook } from './script-book.ts';
import { SnapshotApplier } from './snapshot-applier.ts';
import { StreamApplier } from './stream-applier.ts';
import { degradedFindings, measureTarget, UNKNOWN_TARGET, type TargetFacts } from './target-facts.ts';
import { watchWaits } from './target-waits.ts';
import { Target } from './target.ts';
import { isEmpty, otherLinks } from './target-contents.ts';

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

/** A full sync on its way to the target. */
interface FullSync {
  applier: SnapshotApplier;
  /** What will be the checkpoint when everything is there. */
  checkpoint: Checkpoint;
  cause: string;
  /** What the target held of the link before. */
  before: LinkRecord;
  /** What was on the target before it, when nobody had copied anything there. */
  existing: ExistingData | undefined;
  /** Undefined when nothing has to be deleted, or may be. */
  reconciliation: Reconciliation | undefined;
  /** The target has the data of other groups too: keys are compared with them, not removed. */
  isShared: boolean;
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
  #fullSync: FullSync | undefined;
  /** A snapshot is on its way that is not wanted. */
  #discarded: DiscardedSnapshot | undefined;
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
    const place = { name: this.id, whereabouts: this.#whereabouts, holds: () => Promise.resolve(true) };
    return [place];
  }

  /**
   * Connects, looks whether the target can be written to, reads where this link was. Waits for a target that is not ready.
   *
   * @returns where the link can continue, or null.
   * @throws SyncError; the signal's reason. Then the target is closed.
   */
  async prepare(signal: AbortSignal): Promise<Checkpoint | null> {
    try {
      const record = await this.#attempt(signal, async (connection) => {
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
      this.#fullSync?.applier.abandon();
      await this.#recovery.close();
      await this.#moves?.close();
      await this.#stream?.settled();
      this.#growing.flush();
      await this.#target.close();
      await this.#expiry.keeper.close();
      await this.#fullSync?.reconciliation?.close();
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
        if (this.#discarded) return this.#discarded.push(item.chunk);
        return this.#fullSync
          ? this.#fullSync.applier.push(item.chunk)
          : this.#stream?.push(this.#skipped.cut(item.chunk), item.atMs);
      case 'snapshot-start':
        return this.#beginFullSync(item, signal);
      case 'snapshot-end':
        return this.#endFullSync(signal);
      case 'snapshot-aborted':
        return this.#abandonFullSync();
      case 'stream-start':
        return this.#beginStream(item.replid, item.offset, signal);
    }
  }

  async #beginFullSync(item: LogItem & { kind: 'snapshot-start' }, signal: AbortSignal): Promise<void> {
    const { engine, events, now, spoolFolder } = this.#options;
    const { counters } = this;
    await this.#stream?.drain();
    await this.#stream?.settled();
    await this.#abandonFullSync();
    const before = await this.#attempt(signal, (connection) => readLinkRecord(connection, this.id));
    if (before.checkpoint !== null && engine.fullResync === 'fail') throw refuseFullResync(item.cause);
    if (before.checkpoint !== null && this.#options.link.origins) refuseUnresolved(engine, item.cause);
    this.#stream = undefined;
    this.#checkpoint = undefined;
    beginSnapshot(counters, now());
    const { origins, incrementalOnly } = this.#options.link;
    const isFirst = before.alone === undefined && origins === undefined && !incrementalOnly;
    const existing = isFirst
      ? await this.#attempt(signal, (connection) => findExisting(connection, this.id))
      : undefined;
    if (existing && engine.existing === 'fail') throw existingStop(this.#target.describe());
    const alone =
      origins === undefined &&
      (before.alone ??
        ((existing !== undefined && engine.existing === 'overwrite') ||
          (await this.#attempt(signal, isEmpty))));
    const { replid, offset, cause } = item;
    const path = origins === undefined ? replid : ownPath(origins);
    const checkpoint: Checkpoint = { replid, offset, database: 0, path, alone };
    if (this.#options.link.incrementalOnly) {
      refuseSecondSnapshot(before, engine.fullResync, cause);
      if (before.checkpoint === null && !before.loading) return this.#discard(checkpoint);
    }
    await this.#attempt(signal, (connection) => this.#write(connection, encodeLoading(this.id, checkpoint)));
    const limits = { folder: spoolFolder, diskBytesMax: engine.logDiskBytes };
    const compared = isCompared(engine, before) ? this.#moves?.comparison : undefined;
    const reconciliation =
      compared || isReconciled(engine, before, alone, existing !== undefined)
        ? new Reconciliation({ ...limits, ...compared })
        : undefined;
    await this.#expiry.keeper.beginSnapshot();
    this.#moves?.strays.beginSnapshot();
    const facts = await this.#measure(signal);
    const applier = new SnapshotApplier({
      link: this.id,
      target: this.#target,
      facts,
      counters,
      heartbeatPrefix: engine.heartbeatPrefix,
      onFinding: (finding) => this.#findings.report(finding),
      scripts: this.#scripts,
      reconciliation,
      expiry: this.#expiry.keeper,
      strays: this.#moves?.strays,
      mark: origins && ['HSET', loadingKey(this.id), 'path', ANYWHERE],
      signal,
    });
    const isShared = compared !== undefined;
    this.#fullSync = { applier, checkpoint, cause, before, existing, reconciliation, isShared };
    await this.#attempt(signal, (connection) => applier.begin(connection));
    events.snapshotStarted();
  }

  #discard(checkpoint: Checkpoint): void {
    this.#discarded = new DiscardedSnapshot(checkpoint);
    this.#options.events.snapshotStarted();
  }

  /** The link begins where the snapshot ends. */
  async #endDiscarded(discarded: DiscardedSnapshot, signal: AbortSignal): Promise<void> {
    const finding = discarded.finish();
    const { checkpoint } = discarded;
    await this.#attempt(signal, (connection) =>
      this.#write(connection, encodeLoaded(this.id, { ...checkpoint, graceMs: this.#expiry.keeper.mark })),
    );
    this.#discarded = undefined;
    this.#checkpoint = checkpoint;
    this.counters.snapshotDone = true;
    this.counters.fullResyncs++;
    this.#findings.report(finding);
    this.#options.events.synchronized('full');
  }

  async #endFullSync(signal: AbortSignal): Promise<void> {
    if (this.#discarded) return this.#endDiscarded(this.#discarded, signal);
    const sync = this.#fullSync;
    if (sync === undefined) return;
    await sync.applier.finish();
    const overwritten = await this.#countOverwritten(sync, signal);
    if (sync.reconciliation && sync.isShared) await this.#compareLater(sync, sync.reconciliation, signal);
    else if (sync.reconciliation) await this.#reconcile(sync, sync.reconciliation, overwritten, signal);
    else if (sync.existing) this.#reportExisting(sync.existing, overwritten, undefined);
    else if (sync.before.checkpoint !== null || sync.before.loading) {
      const inCircle = this.#options.link.origins !== undefined;
      this.#findings.report(keptFinding(sync.cause, sync.checkpoint.alone, [], inCircle));
    }
    await this.#attempt(signal, (connection) =>
      this.#write(
        connection,
        encodeLoaded(this.id, { ...sync.checkpoint, graceMs: this.#expiry.keeper.mark }),
      ),
    );
    this.#expiry.keeper.snapshotDone();
    this.#fullSync = undefined;
    this.#checkpoint = sync.checkpoint;
    endSnapshot(this.counters, this.#options.now());
    this.#options.events.synchronized('full');
  }

  /** Deletes what the new snapshot does not have, if all data on the target is this link's. */
  async #reconcile(
    sync: FullSync,
    reconciliation: Reconciliation,
    overwritten: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { emptySource } = this.#options.engine;
    if (
      this.counters.snapshotKeys === 0 &&
      emptySource !== 'follow' &&
      !(await this.#attempt(signal, isEmpty))
    ) {
      throw refuseEmptySource(this.#target.describe());
    }
    const others = await this.#attempt(signal, (connection) => otherLinks(connection, this.id));
    const removed = others.length === 0 ? await reconciliation.removeOthers(this.#target, signal) : undefined;
    await reconciliation.close();
    if (sync.existing) return this.#reportExisting(sync.existing, overwritten, removed?.keys);
    // A first full sync that broke off and began anew: nothing stale is left.
    if (sync.before.checkpoint === null && removed !== undefined) return;
    this.#findings.report(
      removed === undefined ? keptFinding(sync.cause, true, others) : removedFinding(sync.cause, removed),
    );
  }

  /** Of a group: what the new snapshot does not have is gone, or another group's. A group without a key may have lost its data. */
  async #compareLater(sync: FullSync, reconciliation: Reconciliation, signal: AbortSignal): Promise<void> {
    const isKept = this.counters.snapshotKeys === 0 && this.#options.engine.emptySource !== 'follow';
    const removed = isKept ? undefined : await reconciliation.removeOthers(this.#target, signal);
    await reconciliation.close();
    this.#findings.report(
      removed === undefined
        ? keptFinding(sync.cause, sync.checkpoint.alone)
        : comparedFinding(sync.cause, removed.keys),
    );
  }

  /** Keys that were there, and have the name of one of the snapshot; keys that expire meanwhile blur it. */
  async #countOverwritten({ existing }: FullSync, signal: AbortSignal): Promise<number> {
    if (existing === undefined) return 0;
    const now = await this.#attempt(signal, (connection) => countKeys(connection, this.id));
    return Math.max(0, existing.keys + this.counters.snapshotKeys - now);
  }

  #reportExisting(existing: ExistingData, overwritten: number, removed: number | undefined): void {
    if (overwritten > 0) count(this.counters.handled, 'overwritten', overwritten);
    this.#findings.report(existingFinding(this.#options.engine.existing, existing, overwritten, removed));
  }

  async #abandonFullSync(): Promise<void> {
    this.#discarded = undefined;
    this.#fullSync?.applier.abandon();
    await this.#fullSync?.reconciliation?.close();
    this.#fullSync = undefined;
  }

  async #measure(signal: AbortSignal): Promise<TargetFacts> {
    const facts = await this.#attempt(signal, measureTarget);
    for (const finding of degradedFindings(facts, this.#facts)) this.#findings.report(finding);
    this.#facts = facts;
    return facts;
  }

  /** Does something on the target, again and again until it works. @throws SyncError what does not get better by waiting. */
  async #attempt<Result>(
    signal: AbortSignal,
    work: (connection: Connection) => Promise<Result>,
  ): Promise<Result> {
    for (;;) {
      try {
        return await this.#target.use(signal, work);
      } catch (error) {
        await this.#target.wait(asError(error), signal);
      }
    }
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

  /** Sends commands of our own to database 0. @throws SyncError when one is refused, retryable unless it cannot help. */
  async #write(connection: Connection, commands: { bytes: Buffer; replies: number }): Promise<void> {
    await connection.call('SELECT', 0);
    const replies = await connection.pipelineRaw(commands.bytes, commands.replies);
    refuseAny(replies, this.#target.describe());
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
