/**
 * Applies the command stream: one envelope executing, the next one queued behind it, a third one filling.
 *
 *   to the target   MULTI … EXEC │ MULTI …            (its EXEC is sent when the one before is known to be applied)
 *                   executing    │ staged
 *
 * So the target never idles while it is behind, an envelope is as small as latency wants while it keeps up, and because
 * nothing overtakes a refused envelope, retrying it keeps the order.
 *
 * Exactly-once: an envelope carries its checkpoint. When its outcome is unknown (connection lost behind EXEC) the
 * checkpoint on the target is read: it says whether the envelope was applied. A staged envelope without EXEC never was.
 */
import { asError, SyncError } from '../errors.ts';
import type { Connection } from '../connect/connection.ts';
import { ReplyError, type Reply } from '../resp/reply.ts';
import { checkpointKey, readCheckpoint, type Checkpoint } from './checkpoint.ts';
import { count, type LinkCounters } from './counters.ts';
import { EnvelopeBuilder, EXEC, type Envelope } from './envelope.ts';
import type { LinkFinding } from './finding.ts';
import { findCommands, wordRefusal } from './refusals.ts';
import { reactionTo } from './replies.ts';
import { StreamTranslator } from './stream-translator.ts';
import type { Target } from './target.ts';
import type { EngineOptions } from '../link/options.ts';

const LAG_SAMPLES_MAX = 4096;

export interface StreamApplierOptions {
  link: string;
  target: Target;
  engine: EngineOptions;
  counters: LinkCounters;
  /** Where the stream begins. */
  start: Checkpoint;
  onAckRequested: () => void;
  onApplied: () => void;
  onFinding: (finding: LinkFinding) => void;
  /** Wall clock in ms, the same one the heartbeat is written with. */
  wallClock: () => number;
  signal: AbortSignal;
}

/** An envelope that was written to a connection, all but its EXEC. */
interface Staged {
  envelope: Envelope;
  /** Undefined when it is not written anywhere. */
  connection: Connection | undefined;
  replies: Promise<Reply[]>;
}

const notConnected = new SyncError('CONNECT', 'The target is not connected.', { retryable: true });

export class StreamApplier {
  readonly #options: StreamApplierOptions;
  readonly #builder: EnvelopeBuilder;
  readonly #translator: StreamTranslator;
  /** Runs while there is something to apply. */
  #pumping: Promise<void> | undefined;
  /** The connection on which an EXEC is waiting for its reply: only then may another envelope be written behind it. */
  #executingOn: Connection | undefined;
  /** The envelope behind the executing one. */
  #staged: Staged | undefined;
  #wake: (() => void) | undefined;
  #failure: Error | undefined;
  #appliedOffset: bigint;
  /** Of the checkpoint on the target. Behind `#appliedOffset` when only protocol lines came since. */
  #checkpointOffset: bigint;

  constructor(options: StreamApplierOptions) {
    this.#options = options;
    const { engine, start, counters, link } = options;
    this.#appliedOffset = start.offset;
    this.#checkpointOffset = start.offset;
    const key = checkpointKey(link);
    this.#builder = new EnvelopeBuilder({
      checkpointKey: key,
      path: start.path,
      sizeBytes: engine.envelopeBytes,
      start,
    });
    this.#translator = new StreamTranslator({
      builder: this.#builder,
      start: { offset: start.offset, database: start.database },
      heartbeatPrefix: engine.heartbeatPrefix,
      checkpointKey: key,
      flush: engine.flush,
      onAckRequested: options.onAckRequested,
      onDropped: (reason) => count(counters.dropped, reason),
      onFlush: (name, database, offset) => this.#onFlush(name, database, offset),
    });
  }

  /** Everything up to this offset is on the target. */
  get appliedOffset(): bigint {
    return this.#appliedOffset;
  }

  /** A promoted replica goes on with our history under a new name. */
  adoptReplid(replid: string): void {
    this.#builder.adoptReplid(replid);
  }

  /** Takes the next stream bytes; resolves when there is room for more. @throws SyncError when the link must stop. */
  async push(chunk: Buffer): Promise<void> {
    this.#options.counters.streamBytes += chunk.length;
    this.#translator.push(chunk);
    this.#kick();
    while (this.#pumping && this.#builderIsFull) await this.#progress();
    if (this.#failure) throw this.#failure;
  }

  /** Resolves when every complete unit pushed so far is applied. */
  async drain(): Promise<void> {
    this.#kick();
    await this.#pumping;
    if (this.#failure) throw this.#failure;
  }

  get #builderIsFull(): boolean {
    const { envelopeBytes, envelopeCommands } = this.#options.engine;
    return this.#builder.bytes >= envelopeBytes || this.#builder.queued >= envelopeCommands;
  }

  #kick(): void {
    if (this.#failure) return;
    if (this.#pumping) {
      // Behind: let the target parse the next envelope while it executes this one.
      const behind = this.#executingOn !== undefined && this.#staged === undefined && this.#builderIsFull;
      if (behind && this.#builder.hasUnits) this.#staged = this.#stage(this.#builder.take());
      return;
    }
    if (this.#hasWork) this.#pumping = this.#pump();
    // Only protocol lines since: nothing to write, the position moves on by itself.
    else this.#appliedOffset = this.#builder.offset;
  }

  get #hasWork(): boolean {
    return this.#staged !== undefined || this.#builder.hasUnits || this.#builder.hasHeartbeats;
  }

  async #pump(): Promise<void> {
    try {
      while (this.#hasWork) {
        const next = this.#staged ?? this.#stage(this.#builder.take());
        this.#staged = undefined;
        const current = next.connection === undefined ? this.#stage(next.envelope) : next;
        await this.#apply(current);
        this.#applied(current.envelope);
      }
    } catch (error) {
      this.#failure = asError(error);
    }
    this.#pumping = undefined;
    this.#wakeUp();
  }

  /** Resolves when an envelope was applied, or the pump has ended. */
  #progress(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  /** Writes an envelope without its EXEC; without a connection it is only kept. */
  #stage(envelope: Envelope): Staged {
    const connection = this.#options.target.current;
    if (connection === undefined) return { envelope, connection, replies: Promise.resolve([]) };
    const replies = connection.pipelineRaw(envelope.bytes, envelope.queued + 1);
    // Looked at when its turn comes; without a listener until then a lost connection would be "unhandled".
    replies.catch(() => undefined);
    return { envelope, connection, replies };
  }

  /** Sends EXEC, and everything again as often as needed, until applied. @throws what stops the link. */
  async #apply(first: Staged): Promise<void> {
    let staged = first;
    for (;;) {
      const failure =
        staged.connection === undefined ? notConnected : await this.#execute(staged, staged.connection);
      if (failure === undefined) return;
      if (await this.#recover(staged.envelope, failure)) return;
      staged = this.#stage(staged.envelope);
    }
  }

  /** Undefined when applied, else what went wrong. */
  async #execute(staged: Staged, connection: Connection): Promise<SyncError | undefined> {
    try {
      const executed = connection.pipelineRaw(EXEC, 1);
      this.#executingOn = connection;
      if (this.#staged && this.#staged.connection !== connection)
        this.#staged = this.#stage(this.#staged.envelope);
      this.#kick();
      const [queued, [result]] = await Promise.all([staged.replies, executed]);
      return this.#read(staged.envelope, queued, result ?? null);
    } catch (error) {
      if (error instanceof SyncError) return error;
      throw error;
    } finally {
      this.#executingOn = undefined;
    }
  }

  /**
   * Waits, opens a fresh connection (on the old one the next envelope may already stand in a MULTI of its own) and asks the
   * target whether the envelope is in its data. Only an answer counts: without one the envelope is not sent again.
   */
  async #recover(envelope: Envelope, first: SyncError): Promise<boolean> {
    const { target, signal } = this.#options;
    let failure = first;
    for (;;) {
      await target.wait(failure, signal);
      await target.close();
      if (this.#staged) this.#staged = { ...this.#staged, connection: undefined };
      try {
        return await this.#wasApplied(await target.connect(signal), envelope);
      } catch (error) {
        if (!(error instanceof SyncError)) throw error;
        failure = error;
      }
    }
  }

  #applied(envelope: Envelope): void {
    const { counters, target, wallClock, onApplied } = this.#options;
    this.#appliedOffset = envelope.checkpoint.offset;
    this.#checkpointOffset = envelope.checkpoint.offset;
    counters.streamCommands += envelope.commands;
    counters.transactions += envelope.transactions;
    for (const sentAtMs of envelope.heartbeats) {
      counters.lagMs = Math.max(0, wallClock() - sentAtMs);
      if (counters.lagSamples.length < LAG_SAMPLES_MAX) counters.lagSamples.push(counters.lagMs);
    }
    envelope.release();
    target.worked();
    onApplied();
    this.#wakeUp();
  }

  /** The target itself says whether the envelope is in its data. */
  async #wasApplied(connection: Connection, envelope: Envelope): Promise<boolean> {
    const found = await readCheckpoint(connection, this.#options.link);
    if (found !== null && found.offset >= envelope.checkpoint.offset) return true;
    if (found !== null && found.offset >= this.#checkpointOffset) return false;
    throw new SyncError(
      'APPLY_REFUSED',
      `The target has lost writes it had acknowledged: we applied up to offset ${this.#checkpointOffset}, its checkpoint says ${found?.offset ?? 'nothing'}.`,
      {
        where: this.#options.target.describe(),
        hint: 'It restarted without its data, or failed over to a replica that was behind. Start the link again: it will do a full sync.',
      },
    );
  }

  /** Undefined when applied; otherwise what to wait for or to stop with. */
  #read(envelope: Envelope, queued: Reply[], result: Reply): SyncError | undefined {
    if (Array.isArray(result)) {
      this.#readElements(envelope, result);
      return undefined;
    }
    const where = this.#options.target.describe();
    const refused = queued.findIndex((reply) => reply instanceof ReplyError);
    const error = refused === -1 ? result : queued[refused];
    if (!(error instanceof ReplyError)) {
      return new SyncError('PROTOCOL', 'The target answered EXEC with something else than an array.', {
        where,
      });
    }
    if (refused === 0 && queued.some((reply) => !(reply instanceof ReplyError))) {
      // The commands behind a refused MULTI were executed one by one: sending them again would apply them twice.
      return new SyncError('APPLY_REFUSED', `The target refuses transactions: ${error.message}`, {
        where,
        hint: 'Give the account +multi +exec. Part of the last commands may be applied: clear the target and start over.',
      });
    }
    count(this.#options.counters.errors, error.kind);
    const [command] = findCommands(envelope.bytes, [refused]);
    return wordRefusal(error, command, where);
  }

  /** Commands that failed inside a transaction that was applied: counted and named, never silently passed. */
  #readElements(envelope: Envelope, elements: Reply[]): void {
    const failed: number[] = [];
    for (let index = 0; index < elements.length; index++)
      if (elements[index] instanceof ReplyError) failed.push(index);
    if (failed.length === 0) return;
    const { counters, onFinding, target } = this.#options;
    // MULTI stands before the first element.
    for (const command of findCommands(
      envelope.bytes,
      failed.map((index) => index + 1),
    )) {
      const error = elements[command.index - 1];
      if (!(error instanceof ReplyError)) continue;
      count(counters.errors, error.kind);
      const refusal = wordRefusal(error, command, target.describe());
      onFinding({
        code: 'APPLY_ERROR',
        severity: 'error',
        message: refusal.message,
        evidence: {
          command: command.name,
          key: command.key.toString('base64'),
          reply: error.message,
          hint: reactionTo(error).hint,
        },
      });
    }
  }

  #onFlush(name: string, database: number, offset: bigint): void {
    const { flush } = this.#options.engine;
    this.#options.onFinding({
      code: 'FLUSH',
      severity: flush === 'propagate' ? 'warning' : 'error',
      message: `${name.toUpperCase()} on the source in database ${database} (policy: ${flush}).`,
      evidence: { command: name, database, offset: String(offset), policy: flush },
    });
  }
}
