/**
 * The full syncs of one link to one server, from the first byte of a snapshot to the checkpoint behind its last:
 *
 *   admit ─▶ begin ─▶ push … push ─▶ end ─▶ checkpoint
 *                        └─▶ abandon, until the next one is admitted
 *
 * It keeps on the target, from the first to the last command, the mark that there is only half of the data. The first
 * snapshot of a link that only follows changes is read and thrown away.
 */
import type { Connection } from '../connect/connection.ts';
import type { LogItem } from '../log/item.ts';
import { encodeLoaded, encodeLoading, loadingKey, readLinkRecord } from './checkpoint.ts';
import type { Checkpoint, LinkRecord } from './checkpoint.ts';
import { beginSnapshot, count, endSnapshot, type LinkCounters } from './counters.ts';
import {
  countKeys,
  existingFinding,
  findExisting,
  isCompared,
  isReconciled,
  type ExistingData,
} from './existing-data.ts';
import type { ExpiryKeeper } from './expiry/expiry-keeper.ts';
import type { LinkFinding } from './finding.ts';
import {
  comparedFinding,
  keptFinding,
  refuseEmptySource,
  refuseFullResync,
  removedFinding,
} from './full-resync.ts';
import type { GroupMoves } from './groups/group-moves.ts';
import type { LaneOptions } from './lane.ts';
import { DiscardedSnapshot, refuseSecondSnapshot, refuseUnresolved } from './origin/discarded-snapshot.ts';
import { ANYWHERE, ownPath } from './origin/origin-path.ts';
import { existingStop } from './policy-stops.ts';
import { Reconciliation } from './reconciliation.ts';
import { refuseAny } from './refusals.ts';
import type { ScriptBook } from './script-book.ts';
import { SnapshotApplier } from './snapshot-applier.ts';
import type { TargetFacts } from './target-facts.ts';
import { isEmpty, otherLinks } from './target-contents.ts';
import type { Target } from './target.ts';

type SnapshotStart = LogItem & { kind: 'snapshot-start' };

export interface LaneFullSyncOptions {
  lane: LaneOptions;
  target: Target;
  counters: LinkCounters;
  keeper: ExpiryKeeper;
  scripts: ScriptBook;
  /** For a group that shares its target with others. */
  moves: GroupMoves | undefined;
  /** Looks at what the target takes. @throws SyncError. */
  measure: (signal: AbortSignal) => Promise<TargetFacts>;
  onFinding: (finding: LinkFinding) => void;
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

export class LaneFullSync {
  readonly #options: LaneFullSyncOptions;
  readonly #id: string;
  #sync: FullSync | undefined;
  /** A snapshot is on its way that is not wanted. */
  #discarded: DiscardedSnapshot | undefined;

  constructor(options: LaneFullSyncOptions) {
    this.#options = options;
    this.#id = options.lane.link.id;
  }

  /** What comes now belongs to a snapshot. */
  get running(): boolean {
    return this.#sync !== undefined || this.#discarded !== undefined;
  }

  /** May another one begin? Changes nothing. @returns what the target holds of the link. @throws SyncError POLICY. */
  async admit({ cause }: SnapshotStart, signal: AbortSignal): Promise<LinkRecord> {
    const { engine, link } = this.#options.lane;
    const before = await this.#attempt(signal, (connection) => readLinkRecord(connection, this.#id));
    if (before.checkpoint !== null && engine.fullResync === 'fail') throw refuseFullResync(cause);
    if (before.checkpoint !== null && link.origins) refuseUnresolved(engine, cause);
    return before;
  }

  /** @param before what `admit` has returned. @throws SyncError what stops the link. */
  async begin(item: SnapshotStart, before: LinkRecord, signal: AbortSignal): Promise<void> {
    const { engine, events, link, now } = this.#options.lane;
    beginSnapshot(this.#options.counters, now());
    const { origins } = link;
    const existing = await this.#findExisting(before, signal);
    const { replid, offset, cause } = item;
    const path = origins === undefined ? replid : ownPath(origins);
    const alone = await this.#isAlone(before, existing, signal);
    const checkpoint: Checkpoint = { replid, offset, database: 0, path, alone };
    if (link.incrementalOnly) {
      refuseSecondSnapshot(before, engine.fullResync, cause);
      if (before.checkpoint === null && !before.loading) return this.#discard(checkpoint);
    }
    await this.#write(encodeLoading(this.#id, checkpoint), signal);
    await this.#open({ checkpoint, cause, before, existing }, signal);
    events.snapshotStarted();
  }

  push(chunk: Buffer): Promise<void> | void {
    return this.#discarded ? this.#discarded.push(chunk) : this.#sync?.applier.push(chunk);
  }

  /** Everything is on the target, and its checkpoint. @returns it; undefined when none was running. @throws SyncError. */
  async end(signal: AbortSignal): Promise<Checkpoint | undefined> {
    if (this.#discarded) return this.#endDiscarded(this.#discarded, signal);
    const sync = this.#sync;
    if (sync === undefined) return undefined;
    await sync.applier.finish();
    const overwritten = await this.#countOverwritten(sync, signal);
    if (sync.reconciliation && sync.isShared) await this.#compareLater(sync, sync.reconciliation, signal);
    else if (sync.reconciliation) await this.#reconcile(sync, sync.reconciliation, overwritten, signal);
    else if (sync.existing) this.#reportExisting(sync.existing, overwritten, undefined);
    else if (sync.before.checkpoint !== null || sync.before.loading) {
      const inCircle = this.#options.lane.link.origins !== undefined;
      this.#options.onFinding(keptFinding(sync.cause, sync.checkpoint.alone, [], inCircle));
    }
    const { keeper, counters, lane } = this.#options;
    await this.#write(encodeLoaded(this.#id, { ...sync.checkpoint, graceMs: keeper.mark }), signal);
    keeper.snapshotDone();
    this.#sync = undefined;
    endSnapshot(counters, lane.now());
    return sync.checkpoint;
  }

  /** It will not be complete: nothing more of it is sent, and what it kept on disk goes. */
  async abandon(): Promise<void> {
    this.release();
    await this.close();
    this.#discarded = undefined;
    this.#sync = undefined;
  }

  /** Nobody waits for the target any more. */
  release(): void {
    this.#sync?.applier.abandon();
  }

  async close(): Promise<void> {
    await this.#sync?.reconciliation?.close();
  }

  /** Data that nobody had copied there; undefined where that is not asked. @throws SyncError by the policy for it. */
  async #findExisting(before: LinkRecord, signal: AbortSignal): Promise<ExistingData | undefined> {
    const { engine, link } = this.#options.lane;
    const isFirst = before.alone === undefined && link.origins === undefined && !link.incrementalOnly;
    if (!isFirst) return undefined;
    const existing = await this.#attempt(signal, (connection) => findExisting(connection, this.#id));
    if (existing && engine.existing === 'fail') throw existingStop(this.#options.target.describe());
    return existing;
  }

  /** All data on the target is this link's. */
  async #isAlone(
    before: LinkRecord,
    existing: ExistingData | undefined,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { engine, link } = this.#options.lane;
    if (link.origins !== undefined) return false;
    if (before.alone !== undefined) return before.alone;
    if (existing !== undefined && engine.existing === 'overwrite') return true;
    return this.#attempt(signal, isEmpty);
  }

  async #open(
    sync: Pick<FullSync, 'checkpoint' | 'cause' | 'before' | 'existing'>,
    signal: AbortSignal,
  ): Promise<void> {
    const { lane, target, counters, keeper, scripts, moves, onFinding } = this.#options;
    const { engine, link } = lane;
    const { before, existing, checkpoint } = sync;
    const compared = isCompared(engine, before) ? moves?.comparison : undefined;
    const limits = { folder: lane.spoolFolder, diskBytesMax: engine.logDiskBytes };
    const reconciliation =
      compared || isReconciled(engine, before, checkpoint.alone, existing !== undefined)
        ? new Reconciliation({ ...limits, ...compared })
        : undefined;
    await keeper.beginSnapshot();
    moves?.strays.beginSnapshot();
    const applier = new SnapshotApplier({
      link: this.#id,
      target,
      facts: await this.#options.measure(signal),
      counters,
      heartbeatPrefix: engine.heartbeatPrefix,
      onFinding,
      scripts,
      reconciliation,
      expiry: keeper,
      strays: moves?.strays,
      mark: link.origins && ['HSET', loadingKey(this.#id), 'path', ANYWHERE],
      signal,
    });
    this.#sync = { ...sync, applier, reconciliation, isShared: compared !== undefined };
    await this.#attempt(signal, (connection) => applier.begin(connection));
  }

  #discard(checkpoint: Checkpoint): void {
    this.#discarded = new DiscardedSnapshot(checkpoint);
    this.#options.lane.events.snapshotStarted();
  }

  /** The link begins where the snapshot ends. */
  async #endDiscarded(discarded: DiscardedSnapshot, signal: AbortSignal): Promise<Checkpoint> {
    const { keeper, counters, onFinding } = this.#options;
    const finding = discarded.finish();
    const { checkpoint } = discarded;
    await this.#write(encodeLoaded(this.#id, { ...checkpoint, graceMs: keeper.mark }), signal);
    this.#discarded = undefined;
    counters.snapshotDone = true;
    counters.fullResyncs++;
    onFinding(finding);
    return checkpoint;
  }

  /** Deletes what the new snapshot does not have, if all data on the target is this link's. */
  async #reconcile(
    sync: FullSync,
    reconciliation: Reconciliation,
    overwritten: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { target, onFinding } = this.#options;
    if (this.#isAllGone && !(await this.#attempt(signal, isEmpty)))
      throw refuseEmptySource(target.describe());
    const others = await this.#attempt(signal, (connection) => otherLinks(connection, this.#id));
    const removed = others.length === 0 ? await reconciliation.removeOthers(target, signal) : undefined;
    await reconciliation.close();
    if (sync.existing) return this.#reportExisting(sync.existing, overwritten, removed?.keys);
    // A first full sync that broke off and began anew: nothing stale is left.
    if (sync.before.checkpoint === null && removed !== undefined) return;
    onFinding(
      removed === undefined ? keptFinding(sync.cause, true, others) : removedFinding(sync.cause, removed),
    );
  }

  /** Of a group: what the new snapshot does not have is gone, or another group's. A group without a key may have lost its data. */
  async #compareLater(sync: FullSync, reconciliation: Reconciliation, signal: AbortSignal): Promise<void> {
    const { target, onFinding } = this.#options;
    const removed = this.#isAllGone ? undefined : await reconciliation.removeOthers(target, signal);
    await reconciliation.close();
    onFinding(
      removed === undefined
        ? keptFinding(sync.cause, sync.checkpoint.alone)
        : comparedFinding(sync.cause, removed.keys),
    );
  }

  /** The snapshot has no key, and that is not to be followed. */
  get #isAllGone(): boolean {
    const { counters, lane } = this.#options;
    return counters.snapshotKeys === 0 && lane.engine.emptySource !== 'follow';
  }

  /** Keys that were there, and have the name of one of the snapshot; keys that expire meanwhile blur it. */
  async #countOverwritten({ existing }: FullSync, signal: AbortSignal): Promise<number> {
    if (existing === undefined) return 0;
    const now = await this.#attempt(signal, (connection) => countKeys(connection, this.#id));
    return Math.max(0, existing.keys + this.#options.counters.snapshotKeys - now);
  }

  #reportExisting(existing: ExistingData, overwritten: number, removed: number | undefined): void {
    const { counters, lane, onFinding } = this.#options;
    if (overwritten > 0) count(counters.handled, 'overwritten', overwritten);
    onFinding(existingFinding(lane.engine.existing, existing, overwritten, removed));
  }

  #attempt<Result>(signal: AbortSignal, work: (connection: Connection) => Promise<Result>): Promise<Result> {
    return this.#options.target.attempt(signal, work);
  }

  /** Sends commands of our own to database 0. @throws SyncError when one is refused, retryable unless it cannot help. */
  #write(commands: { bytes: Buffer; replies: number }, signal: AbortSignal): Promise<void> {
    return this.#attempt(signal, async (connection) => {
      await connection.call('SELECT', 0);
      const replies = await connection.pipelineRaw(commands.bytes, commands.replies);
      refuseAny(replies, this.#options.target.describe());
    });
  }
}
