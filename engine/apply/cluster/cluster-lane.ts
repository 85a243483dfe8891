/**
 * One link's way from the replication log to a cluster. The same course as that of one server (../lane.ts):
 *
 *   snapshot-start ─▶ SNAPSHOT ─snapshot-end─▶ reconcile every shard ─▶ checkpoint ─▶ STREAM ◀─ stream-start
 *
 * What one server keeps of a link in one place is spread here: the link's own record is in the slot of its name, and every
 * slot has a checkpoint of its own (slot-checkpoints.ts).
 */
import { Connection } from '../../connect/connection.ts';
import type { ClusterEntry, Whereabouts } from '../../connect/discovery.ts';
import { asError, SyncError } from '../../errors.ts';
import { clusterSlot, SLOTS } from '../../keys/cluster-slot.ts';
import type { LogItem } from '../../log/item.ts';
import { delay } from '../../psync/backoff.ts';
import type { LogReader } from '../../log/log-cursor.ts';
import { textOf } from '../../resp/reply-text.ts';
import {
  checkpointKey,
  encodeLoading,
  ownerKey,
  readLinkRecord,
  type Checkpoint,
  type LinkRecord,
} from '../checkpoint.ts';
import { beginSnapshot, count, endSnapshot, newCounters, type LinkCounters } from '../counters.ts';
import { FindingLimit } from '../finding.ts';
import { changedFact } from './changed-slots.ts';
import { SourceTimeline } from '../expiry/source-timeline.ts';
import { isReconciled } from '../existing-data.ts';
import {
  keptFinding,
  refuseEmptySource,
  refuseFullResync,
  removedFinding,
  stoppedHalfWay,
} from '../full-resync.ts';
import { GrowingFindings } from '../growing-findings.ts';
import type { LaneOptions } from '../lane.ts';
import { Pause, SkippedBytes, takeUntilClosed } from '../lane-course.ts';
import type { LanePlace, LinkLane } from '../link-lane.ts';
import { OomWatch } from '../oom-watch.ts';
import { Ownership } from '../ownership.ts';
import { DiscardedSnapshot } from '../origin/discarded-snapshot.ts';
import { ownPath } from '../origin/origin-path.ts';
import { existingStop } from '../policy-stops.ts';
import { Reconciliation, type Removed } from '../reconciliation.ts';
import { refusalFinding, refuseAny } from '../refusals.ts';
import { ScriptBook } from '../script-book.ts';
import { SnapshotApplier } from '../snapshot-applier.ts';
import {
  degradedFindings,
  measureTarget,
  PROBE_KEY,
  UNKNOWN_TARGET,
  type TargetFacts,
} from '../target-facts.ts';
import { watchWaits } from '../target-waits.ts';
import { Target } from '../target.ts';
import { unlinkEach } from './barriers.ts';
import { refuseAnotherSnapshot, refuseCircle, unsettledFinding } from './circle-limits.ts';
import { CircleMarks } from './circle-marks.ts';
import { ClusterContents } from './cluster-contents.ts';
import { ClusterExpiry } from './cluster-expiry.ts';
import { ClusterSnapshot } from './cluster-snapshot.ts';
import { ClusterStream } from './cluster-stream.ts';
import { ClusterTarget, type TargetShard } from './cluster-target.ts';
import { shardPlaces } from './shard-places.ts';
import { SlotBook } from './slot-book.ts';
import { openHandover, type SlotHandover } from './slot-handover.ts';
import { KeyRefetch } from './key-refetch.ts';
import { OwnTurns } from './own-turns.ts';
import { SlotHealer } from './slot-healer.ts';
import { encodeSlotsLoaded, syncName, taggedLink } from './slot-checkpoints.ts';

/** How often, how far apart, it is looked at the end whether slots that moved are right. */
const SETTLE_TURNS = 50;
const SETTLE_PAUSE_MS = 100;

export interface ClusterLaneOptions extends Omit<LaneOptions, 'link'> {
  link: LaneOptions['link'] & { target: ClusterEntry };
}

interface FullSync {
  applier: ClusterSnapshot;
  checkpoint: Checkpoint;
  cause: string;
  before: LinkRecord;
  reconciliation: Reconciliation | undefined;
}

export class ClusterLane implements LinkLane {
  readonly id: string;
  readonly counters: LinkCounters = newCounters();
  readonly #options: ClusterLaneOptions;
  readonly #cluster: ClusterTarget;
  readonly #contents: ClusterContents;
  readonly #findings: FindingLimit;
  readonly #growing: GrowingFindings;
  readonly #ownership: Ownership;
  readonly #scripts = new ScriptBook();
  readonly #record: string;
  #facts: TargetFacts = UNKNOWN_TARGET;
  #fullSync: FullSync | undefined;
  #stream: ClusterStream | undefined;
  #checkpoint: Checkpoint | undefined;
  /** Name of the full sync that the checkpoints on the target belong to. */
  #sync = '';
  readonly #slots: SlotBook;
  /** Slots that were the source shard's when its snapshot was taken, as text. */
  #ranges = '';
  /** Slots that have left the source shard and are not known to be right. */
  readonly #unsettled: Set<number>;
  readonly #owns: ((key: Uint8Array) => boolean) | undefined;
  readonly #refetch: KeyRefetch;
  /** For a link of a circle. */
  readonly #marks: CircleMarks | undefined;
  /** For a link of a circle whose source is a cluster's shard. */
  readonly #handover: SlotHandover | undefined;
  /** A snapshot is on its way that is not wanted. */
  #discarded: DiscardedSnapshot | undefined;
  readonly #expiry: ClusterExpiry;
  readonly #turns: OwnTurns;
  #healing: Promise<unknown> | undefined;
  readonly #skipped = new SkippedBytes();
  readonly #ending = new AbortController();
  readonly #pause = new Pause();

  constructor(options: ClusterLaneOptions) {
    this.id = options.link.id;
    this.#options = options;
    this.#record = taggedLink(options.link.id);
    const { events, engine, link, sourceSlots } = options;
    this.#unsettled = sourceSlots?.follow() ?? new Set();
    this.#owns = sourceSlots && ((key) => sourceSlots.has(clusterSlot(key)));
    this.#findings = new FindingLimit((finding) => events.finding(finding));
    this.#growing = new GrowingFindings((finding) => events.finding(finding));
    this.#ownership = new Ownership(this.#record);
    const oom = new OomWatch(engine.oom, (finding) => this.#findings.report(finding));
    this.#cluster = new ClusterTarget({
      entry: link.target,
      openTarget: (whereabouts, shard) => this.#openTarget(whereabouts, shard, oom),
      onChanged: (before, now) => this.#growing.add(...changedFact(before, now)),
    });
    this.#slots = new SlotBook({ cluster: this.#cluster, link: this.id, owns: this.#owns });
    this.#refetch = new KeyRefetch({
      link: this.id,
      cluster: this.#cluster,
      source: options.source,
      appliedOffset: () => this.appliedOffset,
      onRefetched: (keys) => count(this.counters.handled, 'keys refetched', keys),
    });
    this.#marks = link.origins && new CircleMarks(link.id, ownPath(link.origins));
    this.#turns = new OwnTurns(link.id, this.#marks);
    this.#handover = openHandover(options, this.#cluster, this.#unsettled, this.#findings);
    this.#expiry = new ClusterExpiry({
      turns: this.#turns,
      cluster: this.#cluster,
      expiry: engine.expiry,
      spoolFolder: options.spoolFolder,
      diskBytesMax: engine.logDiskBytes,
      timeline: options.timeline ?? new SourceTimeline(options.now),
      wallClock: options.wallClock,
      sourceOffsetMs: options.sourceOffsetMs ?? (() => undefined),
      source: options.source,
      // In a circle nobody else would give back what has left the shard.
      owns: this.#handover === undefined ? this.#owns : undefined,
      onFinding: (finding) => this.#findings.report(finding),
    });
    this.#contents = new ClusterContents({
      cluster: this.#cluster,
      link: this.id,
      siblings: link.siblings ?? [],
      owns: this.#owns,
    });
  }

  get appliedOffset(): bigint {
    return this.#stream?.appliedOffset ?? -1n;
  }

  /** Slots that are still to be compared with the source, and keys to be read again. */
  get unsettled(): number {
    return this.#unsettled.size + this.#refetch.pending + (this.#handover?.pending ?? 0);
  }

  get deferred(): number {
    return this.unsettled + this.#expiry.keeper.count;
  }

  deferredDeadlineMs(database: number, key: Buffer): number | undefined {
    return this.#expiry.keeper.deferredDeadlineMs(database, key);
  }

  get paused(): boolean {
    return this.#pause.on;
  }

  get places(): readonly LanePlace[] {
    return shardPlaces(this.id, this.#cluster, this.#slots, () => this.#stream);
  }

  settleExpiries(): void {
    this.#stream?.settleExpiries();
  }

  async prepare(signal: AbortSignal): Promise<Checkpoint | null> {
    const { engine, link } = this.#options;
    if (link.origins !== undefined) refuseCircle(this.id, engine);
    try {
      await this.#cluster.refresh(signal);
      const key = checkpointKey(this.#record);
      const [record, sync, ranges] = await this.#cluster.useKey(key, signal, async (connection) => [
        await readLinkRecord(connection, this.#record),
        textOf(await connection.call('HGET', key, 'sync')),
        textOf(await connection.call('HGET', key, 'slots')),
      ]);
      // Whoever applied this link before is cut off from every shard before anything is read.
      await this.#cluster.useAll(signal, async (connection) => void (await connection.call('PING')));
      this.#checkpoint = record.checkpoint ?? undefined;
      if (record.checkpoint !== null) {
        this.#sync = sync;
        await this.#slots.read(sync, signal);
        // Without its checkpoint a slot has lost its data: everything is copied again.
        this.#ranges = ranges;
        if (!this.#slots.isComplete(ranges)) this.#checkpoint = undefined;
        if (this.#options.engine.crossSlot === 'refetch') await this.#refetch.recall(signal);
      }
      if (this.#checkpoint !== undefined) await this.#lookAtSource(signal);
      if (this.#checkpoint !== undefined) await this.#handover?.begin(ranges, this.#slots.confirmed, signal);
      await this.#measure(signal);
      this.#cluster.worked();
      return this.#checkpoint ?? null;
    } catch (error) {
      await this.#cluster.close();
      throw error;
    }
  }

  relocate(target: Whereabouts, signal: AbortSignal): Promise<void> {
    if ('kind' in target && target.kind === 'cluster') return this.#cluster.relocate(target, signal);
    return Promise.resolve();
  }

  pause(): void {
    this.#pause.begin();
  }

  resume(): void {
    this.#pause.end();
  }

  async run(cursor: LogReader, signal: AbortSignal): Promise<void> {
    const ended = AbortSignal.any([signal, this.#ending.signal]);
    const onEnded = (): void => void this.#cluster.close();
    ended.addEventListener('abort', onEnded, { once: true });
    try {
      await takeUntilClosed(cursor, this.#pause, (item) => this.#take(item, ended), ended);
      if (this.#stream === undefined && this.#checkpoint === undefined) throw stoppedHalfWay();
      await this.#stream?.drain();
      await this.#settleSlots(ended);
      await this.#stream?.endDeferral(ended);
    } catch (error) {
      signal.throwIfAborted();
      throw asError(error);
    } finally {
      this.#ending.abort();
      this.#fullSync?.applier.abandon();
      await this.#stream?.settled();
      await this.#healing;
      this.#growing.flush();
      await this.#cluster.close();
      await this.#expiry.close();
      await this.#fullSync?.reconciliation?.close();
    }
  }

  async #take(item: Exclude<LogItem, { kind: 'closed' }>, signal: AbortSignal): Promise<void> {
    switch (item.kind) {
      case 'bytes':
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
    await this.#cluster.refresh(signal);
    await this.#lookAtSource(signal);
    const key = checkpointKey(this.#record);
    const before = await this.#cluster.useKey(key, signal, (connection) =>
      readLinkRecord(connection, this.#record),
    );
    if (before.checkpoint !== null && engine.fullResync === 'fail') throw refuseFullResync(item.cause);
    if (before.checkpoint !== null && this.#marks !== undefined) throw refuseAnotherSnapshot(item.cause);
    this.#stream = undefined;
    this.#checkpoint = undefined;
    this.#slots.clear();
    await this.#expiry.beginSnapshot();
    beginSnapshot(counters, now());
    const { origins, incrementalOnly } = this.#options.link;
    const path = this.#marks?.path ?? item.replid;
    if (incrementalOnly === true) return this.#discard({ ...item, database: 0, path, alone: false });
    const isEmpty = before.alone ?? (await this.#contents.isOwn(signal));
    const hasOthers =
      before.alone === undefined && !isEmpty && (await this.#contents.otherLinks(signal)).length > 0;
    const isExisting = before.alone === undefined && !isEmpty && !hasOthers && origins === undefined;
    if (isExisting && engine.existing === 'fail') throw existingStop(this.#cluster.describe());
    const alone = origins === undefined && (isEmpty || (isExisting && engine.existing === 'overwrite'));
    const { replid, offset, cause } = item;
    const checkpoint: Checkpoint = { replid, offset, database: 0, path, alone };
    await this.#marks?.announceLoading(this.#cluster, signal);
    await this.#write(encodeLoading(this.#record, checkpoint), signal);
    await this.#turns.beginAll(this.#cluster, signal);
    await this.#contents.removeTemporaries(signal);
    const reconciliation = isReconciled(engine, before, alone, isExisting)
      ? new Reconciliation({
          folder: spoolFolder,
          diskBytesMax: engine.logDiskBytes,
          owns: this.#owns,
          deleteKeys: (connection, _database, keys) => unlinkEach(connection, keys),
        })
      : undefined;
    await this.#measure(signal);
    this.#sync = syncName(checkpoint);
    this.#ranges = this.#slots.ranges;
    const applier = this.#openSnapshot(reconciliation, signal);
    this.#fullSync = { applier, checkpoint, cause, before, reconciliation };
    events.snapshotStarted();
  }

  /** The target has it already: the snapshot is read and not applied. */
  #discard(checkpoint: Checkpoint): void {
    this.#sync = syncName(checkpoint);
    this.#ranges = this.#slots.ranges;
    this.#discarded = new DiscardedSnapshot(checkpoint);
    this.#options.events.snapshotStarted();
  }

  /** The link begins where the snapshot ends. */
  async #endDiscarded(discarded: DiscardedSnapshot, signal: AbortSignal): Promise<void> {
    const finding = discarded.finish();
    await this.#complete(discarded.checkpoint, signal);
    this.#discarded = undefined;
    this.counters.snapshotDone = true;
    this.counters.fullResyncs++;
    this.#findings.report(finding);
    this.#options.events.synchronized('full');
  }

  #openSnapshot(reconciliation: Reconciliation | undefined, signal: AbortSignal): ClusterSnapshot {
    const { engine } = this.#options;
    const { counters } = this;
    return new ClusterSnapshot({
      cluster: this.#cluster,
      turns: this.#turns,
      counters,
      reconciliation,
      signal,
      onDatabase: (database) => {
        throw new SyncError(
          'POLICY',
          `The source has keys in database ${database}, and the target is a cluster.`,
          {
            hint: 'A cluster has only database 0. Replicate to a server that is no cluster, or move the keys.',
          },
        );
      },
      onRefused: (command, error) => {
        count(counters.errors, error.kind);
        this.#findings.report(refusalFinding(error, command, this.#cluster.describe()));
      },
      openApplier: (shard, onMisplaced) =>
        new SnapshotApplier({
          link: this.id,
          target: shard.target,
          facts: this.#facts,
          counters,
          heartbeatPrefix: engine.heartbeatPrefix,
          expiry: this.#expiry.keeper,
          onFinding: (finding) => this.#findings.report(finding),
          scripts: this.#scripts,
          reconciliation,
          onMisplaced,
          signal,
        }),
    });
  }

  async #endFullSync(signal: AbortSignal): Promise<void> {
    if (this.#discarded) return this.#endDiscarded(this.#discarded, signal);
    const sync = this.#fullSync;
    if (sync === undefined) return;
    await sync.applier.finish();
    if (sync.reconciliation) await this.#reconcile(sync, sync.reconciliation, signal);
    else if (sync.before.checkpoint !== null || sync.before.loading)
      this.#findings.report(keptFinding(sync.cause, sync.checkpoint.alone, [], this.#marks !== undefined));
    await this.#complete(sync.checkpoint, signal);
    await this.#turns.endAll(this.#cluster, signal);
    this.#expiry.keeper.snapshotDone();
    this.#fullSync = undefined;
    endSnapshot(this.counters, this.#options.now());
    this.#options.events.synchronized('full');
  }

  /** Every slot has its checkpoint, then the link. */
  async #complete(checkpoint: Checkpoint, signal: AbortSignal): Promise<void> {
    await this.#slots.begin(checkpoint, { sync: this.#sync, ranges: this.#ranges }, signal);
    // Says also whether deadlines are deferred: the stream begins behind it.
    checkpoint.graceMs = this.#expiry.keeper.mark;
    const more = { sync: this.#sync, slots: this.#ranges };
    await this.#handover?.reset(this.#ranges, signal);
    await this.#write(encodeSlotsLoaded(this.#record, checkpoint, more), signal);
    await this.#handover?.begin(this.#ranges, this.#slots.confirmed, signal);
    this.#checkpoint = checkpoint;
  }

  async #reconcile(sync: FullSync, reconciliation: Reconciliation, signal: AbortSignal): Promise<void> {
    const { emptySource } = this.#options.engine;
    const isAllGone = this.counters.snapshotKeys === 0 && emptySource !== 'follow';
    if (isAllGone && !(await this.#contents.isEmpty(signal)))
      throw refuseEmptySource(this.#cluster.describe());
    const others = await this.#contents.otherLinks(signal);
    const removed = others.length === 0 ? await this.#removeOthers(reconciliation, signal) : undefined;
    await reconciliation.close();
    if (sync.before.checkpoint === null && removed !== undefined) return;
    this.#findings.report(
      removed === undefined ? keptFinding(sync.cause, true, others) : removedFinding(sync.cause, removed),
    );
  }

  async #removeOthers(reconciliation: Reconciliation, signal: AbortSignal): Promise<Removed> {
    const removed: Removed = { keys: 0, libraries: 0 };
    await this.#lookAtSource(signal);
    await this.#cluster.refresh(signal);
    for (const { target } of this.#cluster.shards) {
      const { keys, libraries } = await reconciliation.removeOthers(target, signal);
      removed.keys += keys;
      removed.libraries = Math.max(removed.libraries, libraries);
    }
    return removed;
  }

  /** Which slots are the source shard's now. */
  async #lookAtSource(signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        return await this.#options.sourceSlots?.look(signal);
      } catch (error) {
        await this.#cluster.wait(asError(error), signal);
      }
    }
  }

  /** Puts right what leaves the source shard, as long as the stream runs. */
  #heal(signal: AbortSignal): void {
    const { sourceSlots, source, link, engine } = this.#options;
    if (this.#healing !== undefined) return;
    const refetching = this.#refetch.run(signal);
    this.#healing = this.#handover === undefined ? refetching : this.#handover.run(signal);
    if (sourceSlots === undefined || source === undefined || this.#handover !== undefined) return;
    // What left while nobody looked.
    for (let slot = 0; slot < SLOTS; slot++)
      if ((this.#slots.confirmed[slot] ?? -1) >= 0 && !sourceSlots.has(slot)) this.#unsettled.add(slot);
    const healer = new SlotHealer({
      cluster: this.#cluster,
      slots: sourceSlots,
      unsettled: this.#unsettled,
      source,
      links: [this.id, ...(link.siblings ?? [])],
      heartbeatPrefix: engine.heartbeatPrefix,
      onHealed: (keys) => count(this.counters.handled, 'keys of moved slots put right', keys),
    });
    this.#healing = Promise.all([refetching, healer.run(signal)]);
  }

  /** The end: what is not right by now is said. */
  async #settleSlots(signal: AbortSignal): Promise<void> {
    for (let turn = 0; turn < SETTLE_TURNS && this.unsettled > 0; turn++)
      await delay(SETTLE_PAUSE_MS, signal);
    const left = this.#unsettled.size + (this.#handover?.pending ?? 0);
    if (left > 0) this.#findings.report(unsettledFinding(left));
  }

  async #abandonFullSync(): Promise<void> {
    this.#discarded = undefined;
    this.#fullSync?.applier.abandon();
    await this.#fullSync?.reconciliation?.close();
    this.#fullSync = undefined;
  }

  async #measure(signal: AbortSignal): Promise<void> {
    const facts = await this.#cluster.useKey(PROBE_KEY, signal, measureTarget);
    for (const finding of degradedFindings(facts, this.#facts)) this.#findings.report(finding);
    this.#facts = { ...facts, cluster: true };
  }

  /** Sends commands of our own for the link's record. @throws SyncError when one is refused. */
  async #write(commands: { bytes: Buffer; replies: number }, signal: AbortSignal): Promise<void> {
    await this.#cluster.useKey(checkpointKey(this.#record), signal, async (connection) => {
      const replies = await connection.pipelineRaw(commands.bytes, commands.replies);
      refuseAny(replies, this.#cluster.describe());
    });
  }

  #beginStream(replid: string, offset: bigint, signal: AbortSignal): undefined {
    if (this.#stream !== undefined) {
      this.#stream.adoptReplid(replid);
      this.counters.partialResyncs++;
      return;
    }
    const checkpoint = this.#skipped.upTo(this.#checkpoint, offset, this.id);
    const { engine, events, wallClock, now, sourceOffsetMs, link } = this.#options;
    const { origins } = link;
    this.#expiry.begin(this.counters.snapshotDone ? undefined : checkpoint.graceMs);
    this.counters.lastWriteOffset = checkpoint.offset;
    this.#stream = new ClusterStream({
      link: this.id,
      cluster: this.#cluster,
      engine,
      counters: this.counters,
      start: { ...checkpoint, replid, ...(origins && { path: ownPath(origins), alone: false }) },
      circle: origins && this.#marks && { origins, marks: this.#marks, handover: this.#handover },
      sync: this.#sync,
      confirmed: this.#slots.confirmed,
      lost: this.#slots.lost,
      source: this.#options.source,
      onAckRequested: () => events.ackRequested(),
      onAdvanced: () => events.advanced?.(),
      durableOffset: () => this.#options.durableOffset?.(),
      onFailed: (error) => this.#ending.abort(error),
      onFinding: (finding) => this.#findings.report(finding),
      growing: this.#growing,
      scripts: this.#scripts,
      wallClock,
      now,
      facts: this.#facts,
      sourceOffsetMs: sourceOffsetMs ?? (() => undefined),
      sourceSlots: this.#options.sourceSlots,
      unsettled: this.#unsettled,
      refetch: this.#refetch,
      expiry: this.#expiry,
      turns: this.#turns,
      owns: this.#owns,
      signal,
    });
    this.#heal(signal);
    if (this.counters.snapshotDone) return;
    this.counters.partialResyncs++;
    events.synchronized('partial');
  }

  #openTarget(whereabouts: Whereabouts, shard: TargetShard | undefined, oom: OomWatch): Target {
    const { engine, random, now, events } = this.#options;
    return new Target({
      endpoint: whereabouts,
      name: `redis-sync:${this.id}`,
      replyTimeoutMs: engine.idleTimeoutMs,
      retryMs: engine.retryMs,
      random,
      now,
      ...watchWaits(this.counters, events, oom, () => ({
        where: this.#cluster.describe(),
        appliedOffset: this.appliedOffset,
        snapshotKeys: this.counters.snapshotKeys,
      })),
      ...(shard === undefined ? {} : { claim: (connection) => this.#claim(connection, shard) }),
    });
  }

  /** May we write there, and is everything still there that we know to be? */
  async #claim(connection: Connection, shard: TargetShard): Promise<void> {
    const holder = this.#cluster.shardOfKey(Buffer.from(ownerKey(this.#record)));
    if (holder === shard || holder?.facts === undefined) await this.#ownership.claim(connection);
    else {
      await using other = await Connection.open(holder.facts.primary.endpoint, {
        signal: this.#ending.signal,
      });
      await this.#ownership.claim(other);
    }
    await this.#slots.check(connection, shard);
    await this.#expiry.greet(connection, shard);
    await this.#turns.greet(connection, shard);
  }
}
