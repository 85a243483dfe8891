/**
 * Applies one snapshot to a target: entries become RESTORE batches, several of them in flight.
 *
 * RESTORE … REPLACE is idempotent, so whatever has no reply when the connection breaks is simply sent again, in order.
 * Batches that the target refused for now (OOM, LOADING …) stay in flight and are tried again; keys it refuses for good
 * stop the link.
 */
import { asError, SyncError } from '../errors.ts';
import type { RawEntry } from '../rdb/entry.ts';
import { RawSnapshotReader } from '../rdb/raw-reader.ts';
import { ReplyError, type Reply } from '../resp/reply.ts';
import { OWN_KEY_PREFIX } from '../link/options.ts';
import { count, type LinkCounters } from './counters.ts';
import type { LinkFinding } from './finding.ts';
import { findCommands, printKey, wordRefusal } from './refusals.ts';
import type { Reconciliation } from './reconciliation.ts';
import { reactionTo } from './replies.ts';
import { RestoreBatchBuilder, type RestoreBatch } from './restore-batch.ts';
import type { Target } from './target.ts';

const BATCH_BYTES = 128 * 1024;
const IN_FLIGHT_MAX = 12;
const OWN_PREFIX = Buffer.from(OWN_KEY_PREFIX);

export interface SnapshotApplierOptions {
  target: Target;
  counters: LinkCounters;
  heartbeatPrefix: string;
  onFinding: (finding: LinkFinding) => void;
  /** Told of every key and library of the snapshot, when the target may hold older ones. */
  reconciliation: Reconciliation | undefined;
  signal: AbortSignal;
}

export class SnapshotApplier {
  readonly #options: SnapshotApplierOptions;
  readonly #heartbeatPrefix: Buffer;
  readonly #reader: RawSnapshotReader;
  readonly #builder = new RestoreBatchBuilder(BATCH_BYTES);
  /** Sent and not answered, in order. */
  readonly #inFlight: RestoreBatch[] = [];
  readonly #libraries: Buffer[] = [];
  #failure: Error | undefined;
  #wake: (() => void) | undefined;
  #abandoned = false;
  readonly #onAbort = (): void => this.#wakeUp();

  constructor(options: SnapshotApplierOptions) {
    this.#options = options;
    this.#heartbeatPrefix = Buffer.from(options.heartbeatPrefix);
    const { counters, onFinding } = options;
    options.signal.addEventListener('abort', this.#onAbort);
    this.#reader = new RawSnapshotReader({
      header: (version) => {
        this.#builder.version = version;
      },
      sizes: (_database, keys) => {
        counters.snapshotExpectedKeys += keys;
      },
      functionLibrary: (code) => {
        this.#libraries.push(Buffer.from(code));
        options.reconciliation?.keepLibrary(code);
      },
      entry: (entry) => this.#onEntry(entry),
      moduleValue: (database, key, module) =>
        onFinding({
          code: 'UNSUPPORTED_COMMAND',
          severity: 'error',
          message: `Key ${printKey(key)} in database ${database} is a value of module ${module}: the target needs that module.`,
          evidence: { database, key: key.toString('base64'), module },
        }),
      moduleAux: (module) =>
        onFinding({
          code: 'UNSUPPORTED_COMMAND',
          severity: 'warning',
          message: `The snapshot carries auxiliary data of module ${module}, which cannot be replicated.`,
          evidence: { module },
        }),
    });
  }

  /** Applies the next bytes; resolves when so little is in flight that more may come. */
  async push(chunk: Buffer): Promise<void> {
    this.#options.counters.snapshotBytes += chunk.length;
    this.#reader.push(chunk);
    await this.#options.reconciliation?.room();
    if (this.#inFlight.length > IN_FLIGHT_MAX || this.#failure) await this.#settle(IN_FLIGHT_MAX);
  }

  /**
   * Every key is on the target.
   *
   * @throws SyncError SNAPSHOT_CORRUPT when the snapshot is not complete: then nothing may be called complete.
   */
  async finish(): Promise<void> {
    this.#reader.finish();
    if (!this.#builder.empty) this.#send(this.#builder.take());
    await this.#settle(0);
    for (const code of this.#libraries) await this.#loadFunctions(code);
    this.abandon();
  }

  /** Lets go of the signal; what is still in flight is of no interest any more. */
  abandon(): void {
    this.#abandoned = true;
    this.#options.signal.removeEventListener('abort', this.#onAbort);
  }

  #onEntry(entry: RawEntry): void {
    if (isOwn(entry.key, this.#heartbeatPrefix)) return count(this.#options.counters.dropped, 'heartbeat');
    if (isOwn(entry.key, OWN_PREFIX)) return count(this.#options.counters.dropped, 'checkpoint');
    this.#options.reconciliation?.keep(entry.database, entry.key);
    this.#builder.add(entry);
    if (this.#builder.full) this.#send(this.#builder.take());
  }

  #send(batch: RestoreBatch): void {
    this.#inFlight.push(batch);
    const connection = this.#options.target.current;
    // Without a connection it waits in line; `#settle` reconnects and sends everything.
    if (connection === undefined)
      this.#fail(new SyncError('CONNECT', 'The target is not connected.', { retryable: true }));
    else if (this.#failure === undefined) this.#write(batch, connection);
  }

  #write(batch: RestoreBatch, connection: NonNullable<Target['current']>): void {
    connection.pipelineRaw(batch.bytes, batch.replies).then(
      (replies) => this.#onReplies(batch, replies),
      (error: unknown) => this.#fail(asError(error)),
    );
  }

  #onReplies(batch: RestoreBatch, replies: Reply[]): void {
    if (this.#abandoned) return;
    const refused: number[] = [];
    for (let index = 0; index < replies.length; index++)
      if (replies[index] instanceof ReplyError) refused.push(index);
    if (refused.length > 0 && !this.#onRefused(batch, replies, refused)) return;
    this.#options.counters.snapshotKeys += batch.keys;
    this.#inFlight.splice(this.#inFlight.indexOf(batch), 1);
    batch.release();
    if (refused.length === 0) this.#options.target.worked();
    this.#wakeUp();
  }

  /** True when the batch is done all the same (its failures are counted); false when it must be sent again or we stop. */
  #onRefused(batch: RestoreBatch, replies: Reply[], refused: number[]): boolean {
    const { counters, target, onFinding } = this.#options;
    for (const command of findCommands(batch.bytes, refused)) {
      const error = replies[command.index];
      if (!(error instanceof ReplyError)) continue;
      const refusal = wordRefusal(error, command, target.describe());
      if (reactionTo(error).reaction !== 'count') {
        this.#fail(refusal);
        return false;
      }
      count(counters.errors, error.kind);
      onFinding({
        code: 'APPLY_ERROR',
        severity: 'error',
        message: refusal.message,
        evidence: { key: command.key.toString('base64'), reply: error.message },
      });
    }
    return true;
  }

  /** Waits until at most `most` batches are in flight; reconnects and resends as often as needed. */
  async #settle(most: number): Promise<void> {
    const { target, signal } = this.#options;
    while (this.#inFlight.length > most || this.#failure) {
      signal.throwIfAborted();
      if (this.#failure) {
        await this.#recover(this.#failure);
        continue;
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    if (target.current === undefined) await target.connect(signal);
  }

  async #recover(failure: Error): Promise<void> {
    const { target, signal } = this.#options;
    await target.wait(failure, signal);
    // The connection may be sound but have batches behind the refused one on it: a fresh one has a clear order.
    await target.close();
    const connection = await target.connect(signal);
    this.#failure = undefined;
    for (const batch of this.#inFlight) this.#write(batch, connection);
  }

  async #loadFunctions(code: Buffer): Promise<void> {
    const { target, signal, counters, onFinding } = this.#options;
    for (;;) {
      try {
        const connection = await target.connect(signal);
        const reply = await connection.tryCall('FUNCTION', 'LOAD', 'REPLACE', code);
        if (!(reply instanceof ReplyError)) return;
        count(counters.errors, reply.kind);
        if (reactionTo(reply).reaction === 'retry') throw wordRefusal(reply, undefined, target.describe());
        return onFinding({
          code: 'UNSUPPORTED_COMMAND',
          severity: 'error',
          message: `The target refused a function library: ${reply.message}`,
          evidence: { reply: reply.message },
        });
      } catch (error) {
        await target.wait(asError(error), signal);
      }
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#wakeUp();
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}

function isOwn(key: Buffer, prefix: Buffer): boolean {
  if (key.length < prefix.length || key[0] !== prefix[0]) return false;
  return key.subarray(0, prefix.length).equals(prefix);
}
