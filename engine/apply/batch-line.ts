/**
 * Batches of commands on their way to a target, several of them in flight: everything in a batch may be sent again, so
 * whatever has no reply when the connection breaks is simply sent again, in order.
 *
 *   collected ──full──▶ in flight ──all replies good or counted──▶ done
 *                          │ refused for now, or the connection broke
 *                          └──▶ wait, connect anew, send everything in flight again
 */
import { asError, SyncError } from '../errors.ts';
import type { Connection } from '../connect/connection.ts';
import type { RawEntry } from '../rdb/entry.ts';
import { ReplyError, type Reply } from '../resp/reply.ts';
import { findCommands, wordRefusal, type SentCommand } from './refusals.ts';
import { unwrapRefusal } from './replies.ts';
import type { CommandOutput } from './rebuild/command-chunk.ts';
import { RestoreBatchBuilder, type RestoreBatch } from './restore-batch.ts';
import type { Target } from './target.ts';

const BATCH_BYTES = 128 * 1024;
const IN_FLIGHT_MAX = 12;
const IN_FLIGHT_BYTES_MAX = 8 * 1024 * 1024;

export interface BatchLineOptions {
  target: Target;
  signal: AbortSignal;
  /** The target knows IDLETIME and FREQ. */
  evictionHints: boolean;
  /** Begins every batch, which then is a transaction; see RestoreBatchBuilder. */
  mark?: Buffer | undefined;
  /** Everything in a batch is answered; it had so many keys. */
  onDone: (keys: number) => void;
  /**
   * The target refused a command; `resent` says that it may have been executed before. True when that is dealt with;
   * false makes the line wait and send again if the refusal may pass, or stop with it.
   */
  onRefused: (command: SentCommand, error: ReplyError, resent: boolean) => boolean;
  /** Before batches are sent again on a fresh connection. @throws what stops the link. */
  onReconnected: (connection: Connection) => Promise<void>;
}

interface InFlight {
  batch: RestoreBatch;
  resent: boolean;
}

export class BatchLine {
  readonly #options: BatchLineOptions;
  readonly #builder: RestoreBatchBuilder;
  /** Sent and not answered, in order. */
  readonly #inFlight: InFlight[] = [];
  #inFlightBytes = 0;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;
  #abandoned = false;
  readonly #onAbort = (): void => this.#wakeUp();

  constructor(options: BatchLineOptions) {
    this.#options = options;
    this.#builder = new RestoreBatchBuilder(BATCH_BYTES, options.evictionHints, options.mark);
    options.signal.addEventListener('abort', this.#onAbort);
  }

  /** Appends a RESTORE with this RDB version stamped on its payload. */
  restore(entry: RawEntry, version: number): void {
    this.#builder.add(entry, version);
    if (this.#builder.full) this.#send(this.#builder.take());
  }

  /** Appends what `write` writes for one key of this database, in one batch, counted as a key when it says true. */
  commands(database: number, write: (output: CommandOutput) => boolean): void {
    this.#builder.select(database);
    if (write(this.#builder)) this.#builder.countKey();
    this.#sendIfFull();
  }

  /** Commands written to it go to this database; a batch may end between any two of them. */
  outputFor(database: number): CommandOutput {
    const builder = this.#builder;
    let inside = false;
    return {
      write: (bytes, start, end) => {
        if (!inside) builder.select(database);
        inside = true;
        builder.write(bytes, start, end);
      },
      endCommand: () => {
        inside = false;
        builder.endCommand();
        this.#sendIfFull();
      },
    };
  }

  /** As much is on its way as should be, or something went wrong that `room` has to look after. */
  get crowded(): boolean {
    return (
      this.#inFlight.length > IN_FLIGHT_MAX ||
      this.#inFlightBytes > IN_FLIGHT_BYTES_MAX ||
      this.#failure !== undefined
    );
  }

  /** Resolves when it is not crowded. @throws SyncError what stops the link. */
  room(): Promise<void> {
    return this.#settle(() => !this.crowded);
  }

  /** Sends what is collected; resolves when everything is answered. @throws SyncError what stops the link. */
  async empty(): Promise<void> {
    do {
      if (!this.#builder.empty) this.#send(this.#builder.take());
      await this.#settle(() => this.#inFlight.length === 0 && this.#failure === undefined);
      // What was refused may have been written anew.
    } while (!this.#builder.empty);
  }

  /** Lets go of the signal; what is still in flight is of no interest any more. */
  abandon(): void {
    this.#abandoned = true;
    this.#inFlight.length = 0;
    this.#options.signal.removeEventListener('abort', this.#onAbort);
  }

  #sendIfFull(): void {
    if (this.#builder.full) this.#send(this.#builder.take());
  }

  #send(batch: RestoreBatch): void {
    const entry = { batch, resent: false };
    this.#inFlight.push(entry);
    this.#inFlightBytes += batch.bytes.length;
    const connection = this.#options.target.current;
    // Without a connection it waits in line; `#settle` reconnects and sends everything.
    if (connection === undefined)
      this.#fail(new SyncError('CONNECT', 'The target is not connected.', { retryable: true }));
    else if (this.#failure === undefined) this.#write(entry, connection);
  }

  #write(entry: InFlight, connection: Connection): void {
    connection.pipelineRaw(entry.batch.bytes, entry.batch.replies).then(
      (replies) => this.#onReplies(entry, replies),
      (error: unknown) => this.#fail(asError(error)),
    );
  }

  #onReplies(entry: InFlight, replies: Reply[]): void {
    const { batch } = entry;
    if (this.#abandoned) return;
    const refused = findRefused(replies);
    if (batch.whole && replies.at(-1) instanceof ReplyError) return this.#notExecuted(batch, refused);
    if (refused.size > 0 && !this.#dealtWith(entry, refused)) return;
    this.#inFlight.splice(this.#inFlight.indexOf(entry), 1);
    this.#inFlightBytes -= batch.bytes.length;
    this.#options.onDone(batch.keys);
    batch.release();
    if (refused.size === 0) this.#options.target.worked();
    this.#wakeUp();
  }

  /** A command could not be queued: nothing of the transaction was executed. */
  #notExecuted(batch: RestoreBatch, refused: ReadonlyMap<number, ReplyError>): void {
    const [first] = findCommands(batch.bytes, [...refused.keys()].slice(0, 1));
    const error = first && refused.get(first.index);
    if (error) this.#fail(wordRefusal(unwrapRefusal(error), first, this.#options.target.describe()));
  }

  /** True when the batch is done all the same; false when it must be sent again or we stop. */
  #dealtWith({ batch, resent }: InFlight, refused: ReadonlyMap<number, ReplyError>): boolean {
    const { target, onRefused } = this.#options;
    for (const command of findCommands(batch.bytes, [...refused.keys()])) {
      const reply = refused.get(command.index);
      const error = reply === undefined ? undefined : unwrapRefusal(reply);
      // A transaction that was refused because of the command before it says nothing new.
      if (error === undefined || /previous errors/.test(error.message)) continue;
      if (onRefused(command, error, resent)) continue;
      this.#fail(wordRefusal(error, command, target.describe()));
      return false;
    }
    return true;
  }

  async #settle(settled: () => boolean): Promise<void> {
    const { target, signal } = this.#options;
    while (!settled()) {
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
    const { target, signal, onReconnected } = this.#options;
    await target.wait(failure, signal);
    // The connection may be sound but have batches behind the refused one on it: a fresh one has a clear order.
    await target.close();
    const connection = await target.connect(signal);
    try {
      await onReconnected(connection);
    } catch (error) {
      const again = asError(error);
      if (!(again instanceof SyncError && again.retryable)) throw again;
      this.#failure = again;
      return;
    }
    this.#failure = undefined;
    for (const entry of this.#inFlight) {
      entry.resent = true;
      this.#write(entry, connection);
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

/** Errors among the replies of a batch, also those inside the answer to an EXEC, by the position of their command. */
function findRefused(replies: readonly Reply[]): ReadonlyMap<number, ReplyError> {
  const refused = new Map<number, ReplyError>();
  for (let index = 0; index < replies.length; index++) {
    const reply = replies[index];
    if (reply instanceof ReplyError) refused.set(index, reply);
    else if (Array.isArray(reply)) findInside(reply, index, refused);
  }
  return refused;
}

/** The commands of a transaction stand right in front of its EXEC. */
function findInside(results: readonly Reply[], execIndex: number, refused: Map<number, ReplyError>): void {
  for (let element = 0; element < results.length; element++) {
    const result = results[element];
    if (result instanceof ReplyError) refused.set(execIndex - results.length + element, result);
  }
}
