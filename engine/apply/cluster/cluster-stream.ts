/**
 * Applies the command stream to a cluster, round after round (slot-rounds.ts, round-runner.ts). What the stream applier does
 * for one server (../stream-applier.ts): translation, policies, counters and reports are the same.
 *
 *   stream ─▶ translator ─▶ rounds ─┬─▶ shard a: transactions of its slots
 *                                   ├─▶ shard b          then the next round
 *                                   └─▶ shard c
 *
 * The link's own checkpoint follows a few times a second: see slot-checkpoints.ts.
 */
import { asError } from '../../errors.ts';
import { clusterSlot } from '../../keys/cluster-slot.ts';
import { encodeCommand } from '../../resp/encode.ts';
import type { CommandFrame } from '../../resp/command-framer.ts';
import { ReplyError, type Reply } from '../../resp/reply.ts';
import type { Whereabouts } from '../../connect/discovery.ts';
import type { EngineOptions } from '../../link/options.ts';
import type { SourceSlots } from '../../link/source-slots.ts';
import { delay } from '../../psync/backoff.ts';
import { AppliedOffset, Wake } from '../applied-offset.ts';
import { checkpointKey, encodeCheckpoint, type Checkpoint } from '../checkpoint.ts';
import { count, newCounters, type LinkCounters } from '../counters.ts';
import type { LinkFinding } from '../finding.ts';
import { GrowingFindings } from '../growing-findings.ts';
import { Losses } from '../rebuild/losses.ts';
import type { StreamPlace } from '../policy-stops.ts';
import { lookAtSlots } from '../slot-look.ts';
import { findCommands, refusalFinding } from '../refusals.ts';
import { isLeftOut, reactionTo } from '../replies.ts';
import type { ScriptBook } from '../script-book.ts';
import { isScript, StreamReports } from '../stream-reports.ts';
import { OriginFilter } from '../origin/origin-filter.ts';
import type { Origins } from '../origin/origin-path.ts';
import { StreamTranslator, type TranslatorOptions } from '../stream-translator.ts';
import type { TargetFacts } from '../target-facts.ts';
import { CommandTranslator } from '../translate/command-translator.ts';
import { SourceClock } from '../translate/source-clock.ts';
import { applyEverywhere } from './barriers.ts';
import type { CircleMarks } from './circle-marks.ts';
import { StreamExpiry } from '../expiry/stream-expiry.ts';
import type { SlotHandover } from './slot-handover.ts';
import type { ClusterExpiry } from './cluster-expiry.ts';
import type { ClusterTarget, TargetShard } from './cluster-target.ts';
import { tornSlot, vanished } from './slot-failures.ts';
import { CrossSlot } from './cross-slot.ts';
import type { KeyRefetch } from './key-refetch.ts';
import type { OwnTurns } from './own-turns.ts';
import { Boundaries, lostFinding, lostForGood, rereadStream } from './lost-writes.ts';
import { RoundRunner } from './round-runner.ts';
import { slotCheckpointKey, SlotMarkEncoder, taggedLink, type SlotOffsets } from './slot-checkpoints.ts';
import { SlotRounds, type SlotGroup, type Stage } from './slot-rounds.ts';

const LAG_SAMPLES_MAX = 4096;
/** How often, how far apart, the target is asked at the end to take deadlines. */
const DEFERRAL_TURNS = 10;
const DEFERRAL_PAUSE_MS = 500;
/** The link's checkpoint is written this often while the stream moves. */
const RECORD_INTERVAL_MS = 200;
const RECORD_LAG_BYTES = 64 * 1024;
/** … and this often when only protocol lines came: others wait for it (slot-healer.ts). */
const RECORD_IDLE_MS = 300;

export interface ClusterStreamOptions {
  link: string;
  cluster: ClusterTarget;
  engine: EngineOptions;
  counters: LinkCounters;
  start: Checkpoint;
  /** Name of the full sync that the checkpoints belong to. */
  sync: string;
  /** Up to where each slot is applied. */
  confirmed: SlotOffsets;
  onAckRequested: () => void;
  onAdvanced: () => void;
  /** Source offset up to which replicas of the shards have everything; undefined when nobody asked for that. */
  durableOffset: () => bigint | undefined;
  onFinding: (finding: LinkFinding) => void;
  growing: GrowingFindings;
  scripts: ScriptBook;
  onFailed: (error: Error) => void;
  wallClock: () => number;
  now: () => number;
  facts: TargetFacts;
  sourceOffsetMs: () => number | undefined;
  /** Slots of which a fresh connection has found that they lack what was applied; emptied by who brings it back. */
  lost: Set<number>;
  /** Where the source is to be found now; without it what a failover of the target has lost stays lost. */
  source: (() => Whereabouts) | undefined;
  /** Whether a key is the source shard's own; undefined: all are. */
  owns?: ((key: Uint8Array) => boolean) | undefined;
  /** Slots of the source shard, when it is one of a cluster. */
  sourceSlots?: SourceSlots | undefined;
  /** Keys that are read from the source again. */
  refetch: KeyRefetch;
  expiry: ClusterExpiry;
  /** For a link of a circle: the two instances, and what marks its writes. */
  circle?: { origins: Origins; marks: CircleMarks; handover: SlotHandover | undefined } | undefined;
  turns: OwnTurns;
  /** Takes slots that are to be compared with the source, because commands for them were left out. */
  unsettled: Set<number>;
  signal: AbortSignal;
}

/** Who is told of what is done to commands. */
type Tellers = Pick<ClusterStreamOptions, 'counters' | 'onFinding'>;

export class ClusterStream {
  readonly #options: ClusterStreamOptions;
  readonly #rounds: SlotRounds;
  readonly #translator: StreamTranslator;
  readonly #runner: RoundRunner;
  readonly #marks: SlotMarkEncoder;
  readonly #losses: Losses;
  readonly #reports: StreamReports;
  readonly #clock: SourceClock;
  readonly #recordKey: string;
  readonly #startedAtMs: number;
  #pumping: Promise<void> | undefined;
  readonly #wake = new Wake();
  #failure: Error | undefined;
  readonly #position: AppliedOffset;
  /** Offset in the link's checkpoint on the target, and when it was written. */
  #recorded: number;
  #recordedAtMs = -Infinity;
  /** What that checkpoint says of deferred deadlines. */
  #recordedMark: number | undefined;
  readonly #expiry: StreamExpiry;
  #replid: string;
  #arrivedAtMs = 0;
  readonly #timer: NodeJS.Timeout;
  readonly #boundaries: Boundaries;
  /** Shards to be looked at although nothing is to be written there. */
  readonly #visits = new Set<TargetShard>();
  #recovering = 0;

  constructor(options: ClusterStreamOptions) {
    this.#options = options;
    const { engine, start, counters, link, cluster, signal, onFinding, growing } = options;
    this.#position = new AppliedOffset(
      start.offset,
      () => options.onAckRequested(),
      () => options.onAdvanced(),
    );
    this.#recorded = Number(start.offset);
    this.#recordedMark = start.graceMs;
    this.#expiry = new StreamExpiry(options.expiry.keeper, options.expiry.guardMs);
    this.#replid = start.replid;
    this.#startedAtMs = options.wallClock();
    this.#recordKey = checkpointKey(taggedLink(link));
    this.#marks = new SlotMarkEncoder(link);
    this.#remark();
    this.#losses = new Losses({ onFinding, onCount: (kind, by) => count(counters.dropped, kind, by) });
    this.#clock = new SourceClock(engine.heartbeatMs, options.sourceOffsetMs);
    this.#reports = new StreamReports({ engine, onFinding, growing });
    this.#runner = new RoundRunner({
      link,
      cluster,
      marks: this.#marks,
      sync: () => options.sync,
      confirmed: options.confirmed,
      onApplied: (group, results, where) => this.#onApplied(group, results, where),
      hasLost: () => options.lost.size > 0,
      recover: () => this.#recover(),
      onRefused: (kind) => count(counters.handled, `retried ${kind}`),
      signal,
    });
    this.#boundaries = new Boundaries(Number(start.offset));
    const { rounds, translator } = this.#openPair(start.offset, options);
    this.#rounds = rounds;
    this.#translator = translator;
    options.circle?.handover?.attach(rounds, () => this.#advanceHandover());
    this.#timer = setInterval(() => this.#tick(), RECORD_INTERVAL_MS);
    this.#timer.unref();
  }

  /** Everything up to this offset is on the target. */
  get appliedOffset(): bigint {
    return this.#position.value;
  }

  /** What shards have lost is being applied again. */
  get recovering(): boolean {
    return this.#recovering > 0;
  }

  /** Asks whether a shard has lost what was applied there: a fresh connection finds that out. */
  visit(shard: TargetShard): void {
    this.#visits.add(shard);
    this.#kick();
  }

  /** A promoted replica goes on with our history under a new name. */
  adoptReplid(replid: string): void {
    this.#replid = replid;
    this.#remark();
  }

  /** Takes the next stream bytes; resolves when there is room for more. @throws SyncError when the link must stop. */
  async push(chunk: Buffer, atMs?: number): Promise<void> {
    this.#options.counters.streamBytes += chunk.length;
    this.#arrivedAtMs = atMs ?? this.#options.wallClock();
    await lookAtSlots(this.#options.sourceSlots, { chunk, atMs: this.#arrivedAtMs }, this.#options.signal);
    if (atMs !== undefined) this.#expiry.waited(this.#options.wallClock() - atMs);
    try {
      this.#translator.push(chunk, atMs);
    } catch (error) {
      await this.drain();
      throw error;
    }
    if (atMs !== undefined) this.#noteArrival(atMs);
    this.#advanceHandover();
    this.#kick();
    while (this.#pumping && this.#isFull) await this.#wake.next();
    if (this.#failure) throw this.#failure;
  }

  /** A command for a slot that is not the source shard's any more is left to the new owner. */
  #leaveOut(slot: number): readonly { slot: number; bytes: Buffer }[] | undefined {
    const { sourceSlots, unsettled, counters } = this.#options;
    if (sourceSlots === undefined || sourceSlots.has(slot)) return undefined;
    unsettled.add(slot);
    count(counters.handled, 'left to the new owner of the slot');
    return [];
  }

  /** Resolves when every complete unit pushed so far is applied, and recorded. @throws SyncError when the link must stop. */
  async drain(): Promise<void> {
    this.#kick();
    await this.#pumping;
    if (this.#failure === undefined) await this.#record();
    if (this.#failure) throw this.#failure;
  }

  /** The cutover: gives every deferred deadline back, soon, and defers none any more. */
  settleExpiries(): void {
    const { keeper } = this.#options.expiry;
    keeper.settle();
    keeper.tick(this.#position.value);
    this.#kick();
  }

  /** The end, after a drain: what a settled target does not take in a few seconds stays late, which is said. */
  async endDeferral(signal: AbortSignal): Promise<void> {
    const { expiry, onFinding } = this.#options;
    const { keeper } = expiry;
    for (let turn = 0; turn < DEFERRAL_TURNS && keeper.settled && keeper.known > 0; turn++) {
      if (turn > 0) await delay(DEFERRAL_PAUSE_MS, signal);
      this.settleExpiries();
      await this.drain();
    }
    await this.drain();
    if (this.#failure === undefined && (keeper.mark ?? 0) !== (this.#recordedMark ?? 0))
      await this.#record(true);
    if (keeper.settled) await expiry.farewell();
    if (keeper.count > 0)
      onFinding(keeper.settled ? keeper.wordLate('it did not answer in time.') : keeper.wordDeferred());
  }

  /** Resolves when nothing runs any more. */
  async settled(): Promise<void> {
    clearInterval(this.#timer);
    await this.#pumping;
  }

  #tick(): void {
    this.#options.expiry.keeper.tick(this.#position.value);
    this.#kick();
  }

  /** Slots that have left or come as the stream says by now. */
  #advanceHandover(): void {
    const { circle } = this.#options;
    if (circle?.handover === undefined || this.#translator.inTransaction) return;
    circle.handover.advance(Number(this.#translator.offset));
    this.#kick();
  }

  #noteArrival(atMs: number): void {
    const { expiry, sourceOffsetMs } = this.#options;
    expiry.timeline.arrived(this.#translator.offset, atMs + (sourceOffsetMs() ?? 0));
  }

  get #isFull(): boolean {
    const { envelopeBytes, envelopeCommands } = this.#options.engine;
    return this.#rounds.bytes >= envelopeBytes || this.#rounds.queued >= envelopeCommands;
  }

  get #isRecordDue(): boolean {
    const behind = Number(this.#position.value) - this.#recorded;
    if (behind <= 0) return false;
    const ageMs = this.#options.now() - this.#recordedAtMs;
    if (ageMs < RECORD_INTERVAL_MS) return false;
    return this.#hasWritten || behind >= RECORD_LAG_BYTES || ageMs >= RECORD_IDLE_MS;
  }

  /** Something was applied since the link's checkpoint was written. */
  #hasWritten = false;

  #remark(): void {
    const { start, sync } = this.#options;
    this.#marks.mark = { replid: this.#replid, path: start.path, sync };
  }

  #kick(): void {
    if (this.#failure || this.#pumping) return;
    const isBusy = this.#hasRounds || this.#visits.size > 0;
    if (isBusy || this.#isRecordDue || this.#options.expiry.isDue) this.#pumping = this.#pump();
    else this.#position.advance(BigInt(this.#rounds.offset));
  }

  async #pump(): Promise<void> {
    try {
      await this.#visitShards();
      while (this.#hasRounds || this.#options.expiry.isDue) {
        if (this.#options.expiry.isDue) await this.#giveBack();
        if (!this.#hasRounds) continue;
        const stage = this.#rounds.take();
        this.#wake.up();
        if (stage.kind === 'round') await this.#round(stage);
        else await this.#barrier(stage);
        if (this.#isRecordDue) await this.#record();
      }
      this.#position.advance(BigInt(this.#rounds.offset));
      if (this.#isRecordDue) await this.#record();
    } catch (error) {
      this.#failure = asError(error);
    }
    this.#pumping = undefined;
    this.#wake.up();
    if (this.#failure) this.#options.onFailed(this.#failure);
  }

  /** The lane's own connection may be to a server that is no primary any more, or none. */
  async #visitShards(): Promise<void> {
    for (const shard of this.#visits) {
      this.#visits.delete(shard);
      const slot = shard.facts?.slots[0]?.[0];
      if (slot === undefined) continue;
      await shard.target.close();
      const question = encodeCommand(['EXISTS', slotCheckpointKey(this.#options.link, slot)]);
      await this.#runner.run([{ slot, offset: -1, commands: [question], count: 1 }]);
    }
  }

  get #hasRounds(): boolean {
    return this.#rounds.hasUnits || this.#rounds.hasHeartbeats;
  }

  /** Between two rounds. The mark that some are deferred goes behind the last of them. */
  async #giveBack(): Promise<void> {
    const { expiry, facts, signal } = this.#options;
    await expiry.run(facts, signal);
    if ((expiry.keeper.mark ?? 0) === 0 && (this.#recordedMark ?? 0) !== 0) await this.#record(true);
  }

  async #round(stage: Stage & { kind: 'round' }): Promise<void> {
    const { counters, wallClock, expiry } = this.#options;
    if (stage.groups.length > 0) {
      // Whoever goes on from the checkpoint must know that there are some to be looked for.
      const mark = expiry.keeper.mark ?? 0;
      if (mark !== 0 && mark !== this.#recordedMark) await this.#record(true);
      await this.#runner.run(stage.groups);
      this.#hasWritten = true;
      counters.lastWriteOffset = BigInt(stage.offset);
    }
    counters.streamCommands += stage.commands;
    counters.transactions += stage.transactions;
    for (const sentAtMs of stage.heartbeats) {
      counters.lagMs = Math.max(0, wallClock() - sentAtMs);
      if (sentAtMs >= this.#startedAtMs && counters.lagSamples.length < LAG_SAMPLES_MAX)
        counters.lagSamples.push(counters.lagMs);
    }
    this.#losses.report();
    this.#position.advance(BigInt(stage.offset));
    if (stage.complete) this.#boundaries.add(stage.offset);
  }

  /** Applies again what shards have lost: from the source's backlog, up to where everything was applied before. */
  async #recover(): Promise<void> {
    const slots = [...this.#options.lost];
    this.#options.lost.clear();
    this.#recovering++;
    try {
      await this.#bringBack(slots);
    } finally {
      this.#recovering--;
    }
  }

  async #bringBack(slots: readonly number[]): Promise<void> {
    const { confirmed, source, signal, cluster, durableOffset, circle } = this.#options;
    const isMoved = slots.some((slot) => circle?.handover?.hasTouched(slot) === true);
    const lowest = Math.min(...slots.map((slot) => confirmed[slot] ?? -1));
    const from = this.#boundaries.before(lowest);
    const to = Number(this.#position.value);
    const range = { from: lowest, to, durable: durableOffset() };
    this.#options.onFinding(lostFinding(slots.length, range, cluster.describe()));
    if (source === undefined || from === undefined || isMoved) throw lostForGood(lowest, cluster.describe());
    for (;;) {
      const quiet = { counters: newCounters(), onFinding: () => undefined };
      const { rounds, translator } = this.#openPair(BigInt(from), quiet);
      try {
        await rereadStream(source(), { replid: this.#replid, from, to }, signal, async (chunk) => {
          translator.push(chunk);
          while (rounds.hasUnits) await this.#again(rounds.take());
        });
        return;
      } catch (error) {
        await cluster.wait(asError(error), signal);
      }
    }
  }

  async #again(stage: Stage): Promise<void> {
    const { cluster, signal, owns, onFinding, turns } = this.#options;
    if (stage.kind === 'round') return this.#runner.run(stage.groups);
    // What was written behind it is on other shards still.
    if (stage.name.startsWith('FLUSH')) throw lostForGood(stage.offset, cluster.describe());
    await applyEverywhere(stage, { cluster, signal, owns, onFinding, turns });
  }

  /** A command for every shard. The link's checkpoint moves behind it at once: it must not be repeated over what follows. */
  async #barrier(stage: Stage & { kind: 'barrier' }): Promise<void> {
    const { cluster, counters, signal, owns, onFinding, turns } = this.#options;
    await applyEverywhere(stage, { cluster, signal, owns, onFinding, turns });
    counters.streamCommands++;
    counters.lastWriteOffset = BigInt(stage.offset);
    this.#position.advance(BigInt(stage.offset));
    await this.#record();
  }

  /** Writes the link's checkpoint: every slot has everything up to here. */
  async #record(anyway = false): Promise<void> {
    const { start, sync, expiry } = this.#options;
    if (!anyway && this.#position.value <= BigInt(this.#recorded)) return;
    const graceMs = expiry.keeper.mark;
    const checkpoint: Checkpoint = {
      ...start,
      replid: this.#replid,
      offset: this.#position.value,
      database: 0,
      graceMs,
    };
    const bytes = encodeCheckpoint(this.#recordKey, checkpoint, { sync });
    const slot = clusterSlot(Buffer.from(this.#recordKey));
    await this.#runner.run([{ slot, offset: -1, commands: [bytes], count: 1 }]);
    this.#recorded = Number(checkpoint.offset);
    this.#recordedMark = graceMs;
    this.#recordedAtMs = this.#options.now();
    this.#hasWritten = false;
  }

  /** Failures inside a transaction that was applied: counted and named. @throws what cannot be made up for. */
  #onApplied(group: SlotGroup, results: readonly Reply[], where: string): void {
    const { counters, onFinding, confirmed } = this.#options;
    const isRecord = group.offset < 0;
    const before = confirmed[group.slot] ?? -1;
    if (!isRecord && results[0] !== 0 && before >= 0) {
      this.#reports.lostWrites(undefined, BigInt(before), this.#options.durableOffset(), where);
      throw vanished(group.slot, where);
    }
    const own = isRecord ? results : results.slice(1);
    for (const [index, error] of own.entries()) {
      if (!(error instanceof ReplyError)) continue;
      const [command] = findCommands(group.commands[index] ?? Buffer.alloc(0), [0]);
      if (command === undefined) continue;
      const leftOut = isLeftOut(error);
      if (isScript(command) && !leftOut) {
        count(counters.handled, 'script errors');
        this.#reports.scriptFailed(command, error);
        continue;
      }
      // It stands on a value that is about to be read anew.
      if (this.#options.refetch.has(command.key) && !leftOut) {
        count(counters.handled, 'errors on keys being refetched');
        continue;
      }
      count(counters.errors, error.kind);
      const { hint } = reactionTo(error);
      onFinding(refusalFinding(error, command, where, { command: command.name, hint }));
      if (leftOut) throw tornSlot(command.name, command.key, error, where);
    }
  }

  /** What links have applied to the source is told from what clients wrote there. */
  #watchOrigins(
    from: bigint,
    counters: LinkCounters,
    boundary: () => number,
    handover: SlotHandover | undefined,
  ): Pick<TranslatorOptions, 'origins'> {
    const { origins } = this.#options.circle ?? {};
    if (origins === undefined) return {};
    const onEcho = (): void => {
      count(counters.handled, 'loop echoes');
      this.#reports.echo(origins.source, { database: 0, offset: from });
    };
    // Read a second time, it is of slots that have not moved.
    const onMoved = ({ offset }: StreamPlace, key: Buffer): boolean => {
      handover?.arrives(key, Number(offset), boundary());
      return true;
    };
    const departs = ({ buffer, argStart, argEnd }: CommandFrame): boolean =>
      handover?.departs(clusterSlot(buffer.subarray(argStart[1], argEnd[1])), this.#arrivedAtMs) === true;
    const onDeleted = (frame: CommandFrame, offset: bigint): void =>
      handover?.sees(frame, { offset: Number(offset), arrivedAtMs: this.#arrivedAtMs });
    return { origins: { filter: new OriginFilter(origins), onEcho, onMoved, onDeleted, departs } };
  }

  /** Rounds and what fills them, from this offset on. */
  #openPair(
    from: bigint,
    { counters, onFinding }: Tellers,
  ): { rounds: SlotRounds; translator: StreamTranslator } {
    const { engine, start, link, facts, wallClock, scripts, confirmed } = this.#options;
    const growing =
      onFinding === this.#options.onFinding ? this.#options.growing : new GrowingFindings(onFinding);
    const { refetch, circle } = this.#options;
    const isQuiet = onFinding !== this.#options.onFinding;
    const handover = isQuiet ? undefined : circle?.handover;
    const crossSlot = new CrossSlot({ engine, counters, onFinding, growing, refetch });
    const rounds: SlotRounds = new SlotRounds({
      place: () => ({ offset: Number(translator.offset), inTransaction: translator.inTransaction }),
      start: Number(from),
      marks: this.#options.circle?.marks,
      have: confirmed.slice(),
      onCrossSlot: (command) => crossSlot.take(command),
      onDatabase: (database, name, offset) => crossSlot.refuseDatabase(database, name, offset),
      onSplitTransaction: (slots, offset) => crossSlot.splitTransaction(slots, offset),
      gate: isQuiet ? undefined : handover,
      intercept: (frame, slot, offset) =>
        handover === undefined
          ? this.#leaveOut(slot)
          : handover.intercept(frame, slot, { offset, arrivedAtMs: this.#arrivedAtMs }),
    });
    const translator = new StreamTranslator({
      builder: rounds,
      start: { offset: from, database: start.database },
      heartbeatPrefix: engine.heartbeatPrefix,
      checkpointKey: checkpointKey(link),
      flush: engine.flush,
      expiry: this.#expiry,
      ...this.#watchOrigins(from, counters, () => rounds.boundary, handover),
      onAckRequested: (offset) => this.#position.asked(offset),
      onDropped: (reason) => count(counters.dropped, reason),
      onHandled: (what) => count(counters.handled, what),
      onFlush: (name, database, offset) => this.#reports.flush(name, { database, offset }, this.#arrivedAtMs),
      publish: engine.publish,
      swapdb: {
        policy: engine.swapdb,
        cluster: true,
        onRefused: (place) => this.#reports.swapdbRefused(place),
      },
      scripts: {
        policy: engine.scripts,
        book: scripts,
        onRun: (...what) => this.#reports.scriptRun(...what),
      },
      translation: {
        commands: new CommandTranslator({
          facts,
          losses: this.#losses,
          sourceTimeMs: () => this.#clock.executedAtMs(wallClock()),
        }),
        clock: this.#clock,
        policy: engine.unsupported ?? 'fail',
        onUnsupported: (name, lostKey, needs, database, offset) =>
          this.#reports.unsupported(name, lostKey, needs, { database, offset }),
        onLoss: (kind, lostKey) => this.#losses.add(kind, lostKey),
      },
    });
    return { rounds, translator };
  }
}
