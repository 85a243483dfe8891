/**
 * Applies the command stream: one envelope executing, the next one queued behind it, a third one filling.
 *
 *   to the target   MULTI … EXEC │ MULTI …            (its EXEC is sent when the one before is known to be applied)
 *                   executing    │ staged
 *
 * So the target never idles while it is behind, an envelope is as small as latency wants while it keeps up, and as nothing
 * overtakes a refused envelope, retrying it keeps the order.
 *
 * Exactly-once: an envelope carries its checkpoint. When its outcome is unknown (connection lost behind EXEC) the
 * checkpoint on the target is read: it says whether the envelope was applied. A staged envelope without EXEC never was. So
 * that an EXEC still on its way cannot be executed after the checkpoint was read, every transaction watches the fence,
 * which is moved before reading (see checkpoint.ts); the watch is sent with the EXEC before and so costs no round trip.
 */
import { asError, SyncError } from '../errors.ts';
import type { Connection } from '../connect/connection.ts';
import type { Reply } from '../resp/reply.ts';
import { AppliedOffset, Wake } from './applied-offset.ts';
import { checkpointKey, claim, encodeExecAndWatch, encodeLoading, type Checkpoint } from './checkpoint.ts';
import { count, type LinkCounters } from './counters.ts';
import { evictsAnything } from './eviction-evidence.ts';
import { EnvelopeGuard } from './envelope-guard.ts';
import { EnvelopeBuilder, type Envelope } from './envelope.ts';
import { Interlude } from './expiry/interlude.ts';
import type { LaneExpiry } from './expiry/lane-expiry.ts';
import { StreamExpiry } from './expiry/stream-expiry.ts';
import { ExecAnswers } from './exec-answers.ts';
import type { LinkFinding } from './finding.ts';
import type { StrayKeys } from './groups/stray-keys.ts';
import { KeyOwners, type ForeignKeys } from './key-owners.ts';
import { GrowingFindings } from './growing-findings.ts';
import { Losses } from './rebuild/losses.ts';
import { ScriptBook } from './script-book.ts';
import type { ConflictWatch } from './origin/conflict-watch.ts';
import { OriginFilter } from './origin/origin-filter.ts';
import type { Origins } from './origin/origin-path.ts';
import type { StreamPlace } from './policy-stops.ts';
import { StreamReports } from './stream-reports.ts';
import { StreamTranslator, type TranslatorOptions } from './stream-translator.ts';
import type { TargetFacts } from './target-facts.ts';
import { CommandTranslator } from './translate/command-translator.ts';
import { SourceClock } from './translate/source-clock.ts';
import type { Target } from './target.ts';
import type { EngineOptions } from '../link/options.ts';

const LAG_SAMPLES_MAX = 4096;
const CHECKPOINT_LAG_BYTES = 64n * 1024n; // Far below every backlog (1 MiB by default).

export interface StreamApplierOptions {
  link: string;
  target: Target;
  engine: EngineOptions;
  counters: LinkCounters;
  /** Where the stream begins. */
  start: Checkpoint;
  /** Tell the source now what is applied. */
  onAckRequested: () => void;
  /** `appliedOffset` has moved on. */
  onAdvanced?: () => void;
  /** Up to where replicas of the target have everything, if somebody asked for that. */
  durableOffset?: () => bigint | undefined;
  onFinding: (finding: LinkFinding) => void;
  /** For facts that repeat; whoever passes it flushes it. Default: one of its own, flushed by `drain`. */
  growing?: GrowingFindings;
  /** Scripts whose bodies are known. */
  scripts?: ScriptBook;
  /** Nothing can be applied any more; `push` and `drain` throw the same. */
  onFailed: (error: Error) => void;
  /** Wall clock in ms, the same one the heartbeat is written with. */
  wallClock: () => number;
  /** What the target takes. */
  facts: TargetFacts;
  /** The source's clock minus ours, ms; undefined while it is not known. */
  sourceOffsetMs: () => number | undefined;
  /** Tells what links have applied to the source; without it everything is what clients wrote. */
  origins?: Origins | undefined;
  /** Keys that clients of the source must not write. */
  foreignKeys?: readonly ForeignKeys[] | undefined;
  /** For a source that shares its target with others between which keys move. */
  strays?: StrayKeys | undefined;
  /** Sees writes of both sides of a pair to one key. */
  conflicts?: ConflictWatch | undefined;
  /** Without it the target expires keys as it likes. */
  expiry?: LaneExpiry | undefined;
  signal: AbortSignal;
}

/** Where an envelope was written to, all but its EXEC. */
interface Written {
  connection: Connection;
  replies: Promise<Reply[]>;
}

interface Staged {
  envelope: Envelope;
  /** Undefined when it is not written anywhere. */
  written: Written | undefined;
}

export class StreamApplier {
  readonly #options: StreamApplierOptions;
  readonly #builder: EnvelopeBuilder;
  readonly #translator: StreamTranslator;
  readonly #expiry: StreamExpiry | undefined;
  readonly #interlude: Interlude | undefined;
  readonly #losses: Losses;
  readonly #growing: GrowingFindings;
  readonly #reports: StreamReports;
  readonly #answers: ExecAnswers;
  readonly #guard: EnvelopeGuard;
  readonly #clock: SourceClock;
  #reportedClock = false;
  /** Runs while there is something to apply. */
  #pumping: Promise<void> | undefined;
  /** The connection on which an EXEC is waiting for its reply: only then may another envelope be written behind it. */
  #executingOn: Connection | undefined;
  /** The envelope behind the executing one. */
  #staged: Staged | undefined;
  /** The connection that moved the fence: only on it may we apply. */
  #claimed: Connection | undefined;
  /** Where the last claim has put the fence. */
  #fence = NaN;
  #claimedAtMs = NaN;
  /** The last EXEC was answered with nil: nothing of its envelope was executed. */
  #wasUntouched = false;
  readonly #execAndWatch: Buffer;
  readonly #wake = new Wake();
  #failure: Error | undefined;
  /** The checkpoint on the target. */
  #checkpoint: Checkpoint;
  /** May be beyond the checkpoint: behind it came nothing that changes the target. */
  readonly #position: AppliedOffset;
  readonly #startedAtMs: number;
  /** When the chunk at hand came from the source. */
  #arrivedAtMs = 0;

  constructor(options: StreamApplierOptions) {
    this.#options = options;
    const { engine, start, counters, link } = options;
    this.#position = new AppliedOffset(
      start.offset,
      () => options.onAckRequested(),
      () => options.onAdvanced?.(),
    );
    this.#startedAtMs = options.wallClock();
    this.#checkpoint = start;
    this.#execAndWatch = encodeExecAndWatch(link);
    this.#losses = new Losses({
      onFinding: options.onFinding,
      onCount: (kind, by) => count(counters.dropped, kind, by),
    });
    this.#clock = new SourceClock(engine.heartbeatMs, options.sourceOffsetMs);
    this.#growing = options.growing ?? new GrowingFindings(options.onFinding);
    const { onFinding, target, signal } = options;
    this.#reports = new StreamReports({ engine, onFinding, growing: this.#growing });
    this.#answers = new ExecAnswers({
      counters,
      onFinding,
      target,
      reports: this.#reports,
      forgives: ({ database, bytes, key }) =>
        options.conflicts?.refused(database, bytes) === true || this.#isStray(database, key),
    });
    this.#guard = new EnvelopeGuard({
      link,
      target,
      signal,
      alone: start.alone,
      onUnknownScripts: (...what) => this.#reports.scriptsUnknown(...what),
    });
    const key = checkpointKey(link);
    const { expiry, facts, wallClock } = options;
    if (expiry) {
      this.#expiry = new StreamExpiry(expiry.keeper, expiry.guardMs);
      this.#interlude = new Interlude({ link, expiry, facts, wallClock, onTick: () => this.#tick() });
    }
    this.#builder = new EnvelopeBuilder({
      checkpointKey: key,
      sizeBytes: engine.envelopeBytes,
      start,
      expiry: this.#expiry,
    });
    this.#translator = new StreamTranslator({
      builder: this.#builder,
      start: { offset: start.offset, database: start.database },
      heartbeatPrefix: engine.heartbeatPrefix,
      checkpointKey: key,
      flush: engine.flush,
      onAckRequested: (offset) => this.#position.asked(offset),
      onDropped: (reason) => count(counters.dropped, reason),
      onHandled: (what) => count(counters.handled, what),
      onFlush: (name, database, offset) => this.#reports.flush(name, { database, offset }, this.#arrivedAtMs),
      publish: engine.publish,
      swapdb: {
        policy: engine.swapdb,
        cluster: options.facts.cluster,
        onRefused: (place) => this.#reports.swapdbRefused(place),
      },
      scripts: {
        policy: engine.scripts,
        book: options.scripts ?? new ScriptBook(),
        onRun: (...what) => this.#reports.scriptRun(...what),
      },
      expiry: this.#expiry,
      ...this.#watchOrigins(),
      strays: options.strays,
      owners: options.foreignKeys && new KeyOwners(options.foreignKeys, this.#growing),
      translation: {
        commands: new CommandTranslator({
          facts: options.facts,
          losses: this.#losses,
          sourceTimeMs: () => this.#sourceTimeMs(),
        }),
        clock: this.#clock,
        policy: engine.unsupported ?? 'fail',
        onUnsupported: (name, lostKey, needs, database, offset) =>
          this.#reports.unsupported(name, lostKey, needs, { database, offset }),
        onLoss: (kind, lostKey) => this.#losses.add(kind, lostKey),
      },
    });
  }

  /** Everything up to this offset is on the target. */
  get appliedOffset(): bigint {
    return this.#position.value;
  }

  /** A promoted replica goes on with our history under a new name. */
  adoptReplid(replid: string): void {
    this.#builder.adoptReplid(replid);
  }

  /** Takes the next stream bytes, which arrived at `atMs` (our wall clock); resolves when there is room for more. @throws SyncError when the link must stop. */
  async push(chunk: Buffer, atMs?: number): Promise<void> {
    this.#options.counters.streamBytes += chunk.length;
    this.#arrivedAtMs = atMs ?? this.#options.wallClock();
    if (atMs !== undefined) this.#expiry?.waited(this.#options.wallClock() - atMs);
    await this.#options.strays?.prepare(this.#arrivedAtMs, this.#options.wallClock());
    try {
      this.#translator.push(chunk, atMs);
    } catch (error) {
      // What stands before the command that must not be applied is applied all the same.
      await this.drain();
      throw error;
    }
    if (atMs !== undefined) this.#noteArrival(atMs);
    this.#kick();
    while (this.#pumping && this.#builderIsFull) await this.#wake.next();
    if (this.#failure) throw this.#failure;
  }

  /** Resolves when every complete unit pushed so far is applied. @throws SyncError when the link must stop. */
  async drain(): Promise<void> {
    this.#kick();
    await this.#pumping;
    if (this.#options.growing === undefined) this.#growing.flush();
    if (this.#failure) throw this.#failure;
  }

  /** The cutover: gives every deferred deadline back, soon, and defers none any more. */
  settleExpiries(): void {
    this.#interlude?.settle(this.#position.value);
    this.#kick();
  }

  /** After a drain: the checkpoint says whether deadlines are deferred now; it may still have been written before. */
  async renewMark(): Promise<void> {
    if (this.#claimed?.closed === false) await this.#pause(this.#claimed);
  }

  /** Resolves when nothing runs any more. For the end: after a drain, or when the signal was aborted and the target closed. */
  async settled(): Promise<void> {
    this.#interlude?.close();
    await this.#pumping;
  }

  #watchOrigins(): Partial<TranslatorOptions> {
    const { origins, counters, conflicts, start } = this.#options;
    if (origins === undefined) return {};
    const onEcho = (): void => {
      count(counters.handled, 'loop echoes');
      this.#reports.echo(origins.source, { database: 0, offset: this.#translator.offset });
    };
    conflicts?.begins(start.offset);
    const filter = new OriginFilter(origins, (mark) => conflicts?.marked(mark, this.#translator.offset));
    const onMoved = (place: StreamPlace): boolean => this.#reports.movedKeys(place);
    return { origins: { filter, onEcho, onMoved, conflicts } };
  }

  /** A key that another group may have: compared with the groups, whatever it is now. */
  #isStray(database: number, key: Buffer): boolean {
    if (this.#options.strays?.refused(database, key) !== true) return false;
    count(this.#options.counters.handled, 'refused for keys that move');
    return true;
  }

  get #builderIsFull(): boolean {
    const { envelopeBytes, envelopeCommands } = this.#options.engine;
    return this.#builder.bytes >= envelopeBytes || this.#builder.queued >= envelopeCommands;
  }

  #kick(): void {
    if (this.#failure) return;
    if (this.#pumping) this.#stageBehind();
    else if (this.#hasWork) this.#pumping = this.#pump();
    else this.#position.advance(this.#builder.offset);
  }

  #noteArrival(atMs: number): void {
    const { expiry, sourceOffsetMs } = this.#options;
    expiry?.timeline.arrived(this.#translator.offset, atMs + (sourceOffsetMs() ?? 0));
  }

  #tick(): void {
    this.#interlude?.tick(this.#position.value);
    this.#kick();
  }

  /** Other links wait for the checkpoint of one that shares its target (groups/group-healer.ts). */
  get #checkpointLagBytes(): bigint {
    return this.#options.strays === undefined ? CHECKPOINT_LAG_BYTES : 1n;
  }

  get #hasWork(): boolean {
    return this.#hasEnvelope || this.#mayPause;
  }

  /** Nothing is on its way to the target, and there is something to do that needs that. */
  get #mayPause(): boolean {
    const isConnected = this.#claimed?.closed === false;
    return this.#staged === undefined && this.#interlude?.isDue(isConnected) === true;
  }

  get #hasEnvelope(): boolean {
    return (
      this.#staged !== undefined ||
      this.#builder.hasUnits ||
      this.#builder.hasHeartbeats ||
      // Only dropped and protocol commands for so long that a restart could find the checkpoint too old to continue.
      this.#builder.offset - this.#checkpoint.offset >= this.#checkpointLagBytes
    );
  }

  async #pump(): Promise<void> {
    try {
      while (this.#hasWork) {
        const idle = this.#claimed?.closed === false ? this.#claimed : undefined;
        if (idle && this.#mayPause) await this.#pause(idle);
        // Without a connection an envelope is sent, if only an empty one: that claims one.
        if (!this.#hasEnvelope && (idle || !this.#mayPause)) continue;
        const next = this.#staged ?? this.#stage(this.#builder.take());
        this.#staged = undefined;
        if (this.#guard.concerns(next.envelope)) await this.#guard.admit(next.envelope);
        this.#applied(await this.#apply(next));
      }
      // Behind the last envelope stand only protocol lines: nothing to write, the position moves on by itself.
      this.#position.advance(this.#builder.offset);
    } catch (error) {
      this.#failure = asError(error);
    }
    this.#pumping = undefined;
    this.#wake.up();
    if (this.#failure) this.#options.onFailed(this.#failure);
  }

  /** Between two envelopes. What goes wrong is left to the next envelope, or another time. */
  async #pause(connection: Connection): Promise<void> {
    const outcome = await this.#interlude?.run(connection, this.#checkpoint);
    if (!(outcome instanceof SyncError)) {
      this.#checkpoint = outcome ?? this.#checkpoint;
      return;
    }
    this.#claimed = undefined;
    // Of the stream nothing was on its way.
    this.#wasUntouched = true;
    await this.#options.target.close();
  }

  /** While the target is behind, it parses the next envelope as it executes this one. */
  #stageBehind(): void {
    if (this.#executingOn === undefined || this.#staged !== undefined) return;
    if (this.#interlude?.isOverdue === true) return;
    if (!this.#builderIsFull || !this.#builder.hasUnits) return;
    this.#staged = this.#stage(this.#builder.take());
    // Whoever waits to push has room now.
    this.#wake.up();
  }

  /** Writes an envelope without its EXEC; without a claimed connection it is only kept. */
  #stage(filled: Envelope): Staged {
    const connection = this.#claimed;
    const isOverdue = this.#expiry?.isOverdue(filled) === true;
    const envelope = isOverdue && this.#expiry ? this.#expiry.renew(filled, this.#options.link) : filled;
    if (connection === undefined || connection.closed) return { envelope, written: undefined };
    const replies = connection.pipelineRaw(envelope.bytes, envelope.queued + 1);
    // Looked at when its turn comes; without a listener until then a lost connection would be "unhandled".
    replies.catch(() => undefined);
    return { envelope, written: { connection, replies } };
  }

  /** Sends EXEC, and everything again as often as needed, until applied. @throws what stops the link. */
  async #apply(first: Staged): Promise<Envelope> {
    let { envelope, written } = first;
    for (;;) {
      // It stood too long before an EXEC that did not come: what is queued on that connection must not be executed.
      const isOverdue = written && this.#expiry?.isOverdue(envelope) === true;
      if (isOverdue) await this.#options.target.close();
      const failure = isOverdue ? undefined : written && (await this.#execute(envelope, written));
      if (failure === 'applied') return envelope;
      if (await this.#recover(envelope, failure)) return envelope;
      ({ envelope, written } = this.#stage(envelope));
    }
  }

  /** What went wrong, if it was not applied. */
  async #execute(envelope: Envelope, written: Written): Promise<SyncError | 'applied'> {
    const { connection } = written;
    this.#wasUntouched = false;
    try {
      const executed = connection.pipelineRaw(this.#execAndWatch, 2);
      this.#executingOn = connection;
      if (this.#staged && this.#staged.written?.connection !== connection)
        this.#staged = this.#stage(this.#staged.envelope);
      this.#stageBehind();
      const [queued, [result]] = await Promise.all([written.replies, executed]);
      const { failure, torn } = this.#answers.read(envelope, queued, result ?? null);
      this.#wasUntouched = result === null;
      if (torn) await this.#markTorn(envelope, connection);
      return failure ?? 'applied';
    } catch (error) {
      if (error instanceof SyncError) return error;
      throw error;
    } finally {
      this.#executingOn = undefined;
    }
  }

  /**
   * Opens and claims a fresh connection (on the old one the next envelope may already stand in a MULTI of its own) and asks
   * the target whether the envelope is in its data. Only an answer counts: without one the envelope is not sent again.
   *
   * @param first what made this necessary, and worth a wait; undefined when nothing was sent yet.
   */
  async #recover(envelope: Envelope, first: SyncError | undefined): Promise<boolean> {
    const { target, signal, link } = this.#options;
    let failure = first;
    for (;;) {
      if (failure) await target.wait(failure, signal);
      if (failure) await target.close();
      this.#claimed = undefined;
      if (this.#staged) this.#staged = { envelope: this.#staged.envelope, written: undefined };
      try {
        const connection = await target.connect(signal);
        const { checkpoint, fence } = await claim(connection, link);
        this.#claimed = connection;
        const isAlone = checkpoint === null && (await this.#isOnlyCheckpointGone(connection, fence));
        this.#fence = fence;
        this.#claimedAtMs = this.#options.wallClock();
        return isAlone ? this.#startAnew() : this.#wasApplied(checkpoint, envelope);
      } catch (error) {
        if (!(error instanceof SyncError)) throw error;
        failure = error;
      }
    }
  }

  /** Nothing was executed meanwhile, and the fence is where we left it, or the target throws away what it likes. */
  async #isOnlyCheckpointGone(connection: Connection, fence: number): Promise<boolean> {
    if (!this.#wasUntouched) return false;
    const sinceMs = this.#options.wallClock() - this.#claimedAtMs;
    return fence === this.#fence + 1 || (await evictsAnything(connection, sinceMs));
  }

  /** Everything before the envelope is on the target, so it goes out again and writes the checkpoint anew. */
  #startAnew(): false {
    const { counters } = this.#options;
    count(counters.handled, 'checkpoint written anew');
    this.#reports.checkpointGone(this.#checkpoint.offset);
    return false;
  }

  #applied(envelope: Envelope): void {
    const { counters, target, wallClock } = this.#options;
    this.#checkpoint = envelope.checkpoint;
    if (envelope.commands > 0) counters.lastWriteOffset = envelope.checkpoint.offset;
    counters.streamCommands += envelope.commands;
    counters.transactions += envelope.transactions;
    for (const sentAtMs of envelope.heartbeats) {
      counters.lagMs = Math.max(0, wallClock() - sentAtMs);
      // What was written while the snapshot was on its way was behind by that long: it says nothing of the stream.
      const inStream = sentAtMs >= this.#startedAtMs;
      if (inStream && counters.lagSamples.length < LAG_SAMPLES_MAX) counters.lagSamples.push(counters.lagMs);
    }
    envelope.release();
    this.#losses.report();
    target.worked();
    this.#position.advance(envelope.checkpoint.offset);
    this.#wake.up();
  }

  /** The target itself says whether the envelope is in its data. */
  #wasApplied(found: Checkpoint | null, envelope: Envelope): boolean {
    if (found?.offset === envelope.checkpoint.offset) return true;
    if (found?.offset === this.#checkpoint.offset) return false;
    const where = this.#options.target.describe();
    if (found !== null && found.offset > this.#checkpoint.offset) {
      throw new SyncError(
        'APPLY_REFUSED',
        `Somebody else moved the checkpoint of this link from ${this.#checkpoint.offset} to ${found.offset}.`,
        {
          where,
          hint: 'The same link runs twice: stop one of them.',
        },
      );
    }
    this.#reports.lostWrites(found?.offset, this.#checkpoint.offset, this.#options.durableOffset?.(), where);
    throw new SyncError(
      'APPLY_REFUSED',
      `The target has lost writes it had acknowledged: we applied up to offset ${this.#checkpoint.offset}, its checkpoint says ${found?.offset ?? 'nothing'}.`,
      {
        where,
        hint: 'It restarted without its data, was flushed, or failed over to a replica that was behind. Start the link again: it goes on from what the target has, or does a full sync.',
      },
    );
  }

  /**
   * The envelope is on the target in part, and no command can say which: nobody may continue from here. The mark of a full
   * sync makes the next start begin with one.
   */
  async #markTorn(envelope: Envelope, connection: Connection): Promise<void> {
    const { bytes, replies } = encodeLoading(this.#options.link, envelope.checkpoint);
    // An account that may not write that either leaves it to the error, which says to start over.
    await connection.pipelineRaw(bytes, replies).catch(() => []);
  }

  /** When the command at hand was executed; a guess that is not measured is said so, once. */
  #sourceTimeMs(): number {
    if (!this.#clock.known && !this.#reportedClock) {
      this.#reportedClock = true;
      this.#options.onFinding({
        code: 'LATENCY_UNRELIABLE',
        severity: 'warning',
        message:
          'The source sends expiries as durations, and does not let us ask for its time: they are counted by our clock.',
        evidence: { command: 'TIME' },
      });
    }
    return this.#clock.executedAtMs(this.#options.wallClock());
  }
}
