/**
 * Applies the command stream: one envelope in flight, the next one filling meanwhile. So an envelope is as small as
 * latency wants while the target keeps up, and as large as throughput wants while it is behind; and because nothing
 * overtakes a refused envelope, retrying it keeps the order.
 *
 * Exactly-once: an envelope carries its checkpoint. When its outcome is unknown (connection lost behind EXEC) the
 * checkpoint on the target is read: it says whether the envelope was applied.
 */
import { asError, SyncError } from '../errors.ts';
import type { Connection } from '../connect/connection.ts';
import { ReplyError, type Reply } from '../resp/reply.ts';
import { checkpointKey, readCheckpoint, type Checkpoint } from './checkpoint.ts';
import { count, type LinkCounters } from './counters.ts';
import { EnvelopeBuilder, type Envelope } from './envelope.ts';
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

export class StreamApplier {
  readonly #options: StreamApplierOptions;
  readonly #builder: EnvelopeBuilder;
  readonly #translator: StreamTranslator;
  #inFlight: Promise<void> | undefined;
  #failure: Error | undefined;
  #appliedOffset: bigint;

  constructor(options: StreamApplierOptions) {
    this.#options = options;
    const { engine, start, counters, link } = options;
    this.#appliedOffset = start.offset;
    const key = checkpointKey(link);
    this.#builder = new EnvelopeBuilder({ checkpointKey: key, path: start.path, sizeBytes: engine.envelopeBytes, start });
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
    const { envelopeBytes, envelopeCommands } = this.#options.engine;
    while (this.#inFlight && (this.#builder.bytes >= envelopeBytes || this.#builder.queued >= envelopeCommands)) {
      await this.#inFlight;
    }
    if (this.#failure) throw this.#failure;
  }

  /** Resolves when every complete unit pushed so far is applied. */
  async drain(): Promise<void> {
    this.#kick();
    while (this.#inFlight) await this.#inFlight;
    if (this.#failure) throw this.#failure;
  }

  #kick(): void {
    if (this.#inFlight || this.#failure) return;
    if (!this.#builder.hasUnits && !this.#builder.hasHeartbeats) {
      // Only protocol lines since: nothing to write, the position moves on by itself.
      this.#appliedOffset = this.#builder.offset;
      return;
    }
    const envelope = this.#builder.take();
    this.#inFlight = this.#apply(envelope).then(
      () => this.#applied(envelope),
      (error: unknown) => {
        this.#failure = asError(error);
        this.#inFlight = undefined;
      },
    );
  }

  #applied(envelope: Envelope): void {
    const { counters, target, wallClock, onApplied } = this.#options;
    this.#inFlight = undefined;
    this.#appliedOffset = envelope.checkpoint.offset;
    counters.streamCommands += envelope.commands;
    counters.transactions += envelope.transactions;
    for (const sentAtMs of envelope.heartbeats) {
      counters.lagMs = Math.max(0, wallClock() - sentAtMs);
      if (counters.lagSamples.length < LAG_SAMPLES_MAX) counters.lagSamples.push(counters.lagMs);
    }
    target.worked();
    onApplied();
    this.#kick();
  }

  /** Sends until applied. @throws what stops the link. */
  async #apply(envelope: Envelope): Promise<void> {
    const { target, signal } = this.#options;
    let connection = target.current ?? (await this.#reconnect());
    for (;;) {
      let failure: Error;
      try {
        const replies = await connection.pipelineRaw(envelope.bytes, envelope.queued + 2);
        const refusal = this.#read(envelope, replies);
        if (refusal === undefined) return;
        failure = refusal;
      } catch (error) {
        failure = asError(error);
      }
      await target.wait(failure, signal);
      if (target.current === undefined) {
        connection = await this.#reconnect();
        if (await this.#wasApplied(connection, envelope)) return;
      }
    }
  }

  async #reconnect(): Promise<Connection> {
    return this.#options.target.connect(this.#options.signal);
  }

  /** The target itself says whether the envelope is in its data. */
  async #wasApplied(connection: Connection, envelope: Envelope): Promise<boolean> {
    const found = await readCheckpoint(connection, this.#options.link).catch((error: unknown) => {
      if (error instanceof SyncError && error.retryable) return undefined;
      throw error;
    });
    if (found === undefined) return false;
    if (found !== null && found.offset >= envelope.checkpoint.offset) return true;
    if (found !== null && found.offset >= this.#appliedOffset) return false;
    if (found === null && this.#appliedOffset === this.#options.start.offset) return false;
    throw new SyncError(
      'APPLY_REFUSED',
      `The target has lost writes it had acknowledged: we applied up to offset ${this.#appliedOffset}, its checkpoint says ${found?.offset ?? 'nothing'}.`,
      {
        where: this.#options.target.describe(),
        hint: 'It restarted without its data, or failed over to a replica that was behind. Start the link again: it will do a full sync.',
      },
    );
  }

  /** Undefined when applied; otherwise what to wait for or to stop with. */
  #read(envelope: Envelope, replies: Reply[]): SyncError | undefined {
    const result = replies.at(-1);
    if (Array.isArray(result)) {
      this.#readElements(envelope, result);
      return undefined;
    }
    const refused = replies.findIndex((reply) => reply instanceof ReplyError);
    const error = replies[refused];
    if (!(error instanceof ReplyError)) {
      return new SyncError('PROTOCOL', 'The target answered EXEC with something else than an array.', { where: this.#options.target.describe() });
    }
    if (refused === 0 && replies.slice(1, -1).some((reply) => !(reply instanceof ReplyError))) {
      // The commands behind a refused MULTI were executed one by one: sending them again would apply them twice.
      return new SyncError('APPLY_REFUSED', `The target refuses transactions: ${error.message}`, {
        where: this.#options.target.describe(),
        hint: 'Give the account +multi +exec. Part of the last commands may be applied: clear the target and start over.',
      });
    }
    count(this.#options.counters.errors, error.kind);
    const [command] = findCommands(envelope.bytes, [refused]);
    return wordRefusal(error, command, this.#options.target.describe());
  }

  /** Commands that failed inside a transaction that was applied: counted and named, never silently passed. */
  #readElements(envelope: Envelope, elements: Reply[]): void {
    const failed: number[] = [];
    for (let index = 0; index < elements.length; index++) if (elements[index] instanceof ReplyError) failed.push(index);
    if (failed.length === 0) return;
    const { counters, onFinding, target } = this.#options;
    // MULTI stands before the first element.
    for (const command of findCommands(envelope.bytes, failed.map((index) => index + 1))) {
      const error = elements[command.index - 1] as ReplyError;
      count(counters.errors, error.kind);
      const refusal = wordRefusal(error, command, target.describe());
      onFinding({
        code: 'APPLY_ERROR',
        severity: 'error',
        message: refusal.message,
        evidence: { command: command.name, key: command.key.toString('base64'), reply: error.message, hint: reactionTo(error).hint },
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
