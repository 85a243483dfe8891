/**
 * One client of a workload: a connection, the commands that are due, and what became of those sent.
 *
 *            open()                  connection lost
 *   (new) ──────────▶ connected ─────────────────────▶ reconnecting
 *                        ▲  │                              │
 *                        └──┼──────────────────────────────┘ dialled again
 *                           ▼ stop()
 *                        stopped
 *
 * Invariants: a command is built only when it can be sent at once, so nothing is ever sent twice, and what is still due
 * when the queue is full is shed and counted, never silently dropped. Nothing is sent behind a SELECT that is not answered:
 * a server that refuses it (BUSY, LOADING) may take what follows, in the wrong database.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../../engine/connect/connection.ts';
import { openWhere } from '../../engine/connect/discover.ts';
import type { Whereabouts } from '../../engine/connect/discovery.ts';
import { encodeCommands, type Argument } from '../../engine/resp/encode.ts';
import { ReplyError, type Reply } from '../../engine/resp/reply.ts';
import { Random } from '../data/random.ts';
import type { Ledger } from './ledger.ts';
import { writeLedgerEntry } from './ledger-write.ts';
import { operationName } from './operation.ts';
import type { OperationChooser } from './operation-chooser.ts';
import type { OperationScript } from './operation-script.ts';
import { commandName, type OperationRun, type Outcome, type SentCommand, type Tally } from './tally.ts';

export interface WorkloadClientOptions {
  /** Where the instance is now. Asked on every connect. */
  whereabouts: () => Whereabouts;
  /** CLIENT SETNAME. */
  name: string;
  seed: number;
  script: OperationScript;
  chooser: OperationChooser;
  tally: Tally;
  prefix: string;
  databases: readonly number[];
  /** Sent on every new connection. */
  prepare: readonly (readonly Argument[])[];
  /** Commands that may wait here while the server does not keep up. */
  queueMax: number;
  ledger?: Ledger;
  /** The instance it writes to, by name. */
  origin?: string;
  /** A server said that a slot is elsewhere. What was refused is counted as that; what comes next goes where it belongs. */
  onMoved?: () => void;
}

/** Commands sent and not yet answered. */
const OUTSTANDING_MAX = 512;
/** A stopped server shows as a growing queue long before; this only frees the commands it will never answer. */
const REPLY_TIMEOUT_MS = 30_000;
const BACKOFF_MS = { first: 50, max: 2000 };
/** Seldom: everything else of the client waits for the answer. */
const SWITCH_DATABASE_CHANCE = 1 / 96;
const LEDGER_CHANCE = 1 / 10;

export class WorkloadClient {
  readonly #options: WorkloadClientOptions;
  readonly #stopping = new AbortController();
  /** Apart from the script's, so that a reconnect does not change which commands follow. */
  readonly #backoff: Random;
  readonly #inFlight = new Set<Promise<void>>();
  #connection: Connection | undefined;
  #reconnecting: Promise<void> | undefined;
  #due = 0;
  #outstanding = 0;
  /** A SELECT is under way. */
  #isSelecting = false;
  #sent = 0;
  #reconnects = 0;

  private constructor(options: WorkloadClientOptions) {
    this.#options = options;
    this.#backoff = new Random(options.seed, 'backoff', options.name);
  }

  /** @throws SyncError CONNECT, AUTH; `ERR DB index is out of range`. */
  static async open(options: WorkloadClientOptions): Promise<WorkloadClient> {
    const client = new WorkloadClient(options);
    await client.#connect();
    return client;
  }

  get sent(): number {
    return this.#sent;
  }

  get outstanding(): number {
    return this.#outstanding;
  }

  get reconnects(): number {
    return this.#reconnects;
  }

  /** Commands due and not sent yet. */
  get queued(): number {
    return Math.max(0, this.#due);
  }

  /** Adds arrivals to the queue. Returns how many found it full and are shed. */
  arrive(count: number): number {
    const shed = Math.max(0, this.#due + count - this.#options.queueMax);
    this.#due += count - shed;
    return shed;
  }

  /** Sends what is due, as far as the connection and the limit of unanswered commands allow. */
  pump(): void {
    const connection = this.#connection;
    if (connection === undefined || this.#isSelecting || this.#stopping.signal.aborted) return;
    if (connection.closed) {
      this.#reconnect(connection);
      return;
    }
    // A shard that has given all its slots away has no keys to write to.
    if (this.#options.script.isHomeless) return;
    const sent: SentCommand[] = [];
    const commands: Argument[][] = [];
    while (this.#due > 0 && !this.#isSelecting && this.#outstanding + sent.length < OUTSTANDING_MAX) {
      const before = sent.length;
      this.#build(sent, commands);
      // An operation of several commands uses up as many arrivals; the debt is paid by the next ones.
      this.#due -= sent.length - before;
      this.#isSelecting = leavesDatabase(sent.slice(before));
    }
    if (sent.length > 0) this.#track(this.#send(connection, sent, commands));
  }

  /** Resolves when everything sent by now is answered, or its connection is lost. */
  async settled(): Promise<void> {
    await Promise.all(this.#inFlight);
  }

  /** Stops sending, waits for the replies under way but not longer than `graceMs`, and closes the connection. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort();
    const timer = new AbortController();
    const late = sleep(graceMs, undefined, { signal: timer.signal }).catch(() => undefined);
    await Promise.race([Promise.all([...this.#inFlight, this.#reconnecting]), late]);
    timer.abort();
    await this.#connection?.close();
    await Promise.all(this.#inFlight);
  }

  #build(sent: SentCommand[], commands: Argument[][]): void {
    const { script, chooser, ledger, databases, prefix } = this.#options;
    let name = 'select';
    let settle: ((outcome: Outcome) => void) | undefined;
    if (databases.length > 1 && script.random.chance(SWITCH_DATABASE_CHANCE)) {
      script.switchDatabase(script.random.pick(script.otherDatabases));
    } else if (ledger && script.random.chance(LEDGER_CHANCE)) {
      name = 'ledger';
      settle = writeLedgerEntry(ledger, script, prefix, this.#options.origin);
    } else {
      const chosen = chooser.next(script.random);
      name = operationName(chosen);
      chosen.build(script);
    }
    const built = script.take();
    const run: OperationRun = { name, open: built.length, worst: 'ok' };
    for (const words of built) {
      commands.push(words);
      sent.push({ name: commandName(words), run, ...(settle ? { settle } : {}) });
    }
  }

  async #send(
    connection: Connection,
    sent: readonly SentCommand[],
    commands: readonly Argument[][],
  ): Promise<void> {
    const { tally, script } = this.#options;
    this.#sent += sent.length;
    this.#outstanding += sent.length;
    const failedBefore = tally.total.failed;
    const sentMs = performance.now();
    const replies = await repliesOrLoss(connection.pipelineRaw(encodeCommands(commands), sent.length));
    this.#outstanding -= sent.length;
    // It was the last one sent.
    if (leavesDatabase(sent)) this.#isSelecting = false;
    if (replies === 'lost') {
      tally.lose(sent);
      this.#reconnect(connection);
    } else {
      tally.latencies.record(performance.now() - sentMs);
      tally.settle(sent, replies);
      if (tally.total.failed > failedBefore) script.forgetAll();
      if (replies.some(isMoved)) this.#options.onMoved?.();
      // A new connection begins in the right database.
      const isAstray = sent.some((each, index) => isSelect(each) && replies[index] instanceof ReplyError);
      if (isAstray || replies.some(isNoPrimary)) {
        await connection.close();
        this.#reconnect(connection);
      }
    }
    this.pump();
  }

  #track(work: Promise<void>): void {
    this.#inFlight.add(work);
    void work.finally(() => this.#inFlight.delete(work));
  }

  /** @param lost the connection that ended; every batch on it reports that, the first report counts. */
  #reconnect(lost: Connection): void {
    if (this.#connection !== lost || this.#stopping.signal.aborted) return;
    this.#connection = undefined;
    this.#options.script.forgetAll();
    this.#reconnecting = this.#dialUntilConnected().finally(() => (this.#reconnecting = undefined));
  }

  async #dialUntilConnected(): Promise<void> {
    for (
      let delayMs = BACKOFF_MS.first;
      !this.#stopping.signal.aborted;
      delayMs = Math.min(delayMs * 2, BACKOFF_MS.max)
    ) {
      try {
        await this.#connect();
        this.#reconnects++;
        return;
      } catch {
        // Not there yet. Jitter, so that the clients of a workload do not come back as one.
        const pauseMs = delayMs * (0.5 + this.#backoff.fraction() / 2);
        await sleep(pauseMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      }
    }
  }

  async #connect(): Promise<void> {
    const { whereabouts, name, prepare, script } = this.#options;
    const connection = await openWhere(whereabouts(), {
      name,
      replyTimeoutMs: REPLY_TIMEOUT_MS,
      signal: this.#stopping.signal,
    });
    try {
      await connection.call('SELECT', script.database);
      await connection.pipeline(prepare);
    } catch (error) {
      await connection.close();
      throw error;
    }
    if (this.#stopping.signal.aborted) await connection.close();
    else this.#connection = connection;
  }
}

function isSelect({ name }: SentCommand): boolean {
  return name === 'select';
}

/** Is there a SELECT outside of a transaction? Inside of one it is refused with the whole. */
function leavesDatabase(sent: readonly SentCommand[]): boolean {
  let isInside = false;
  return sent.some((each) => {
    if (each.name === 'multi') isInside = true;
    else if (each.name === 'exec' || each.name === 'discard') isInside = false;
    return isSelect(each) && !isInside;
  });
}

/** Also inside a transaction: it is refused with its first command. */
function isMoved(reply: Reply): boolean {
  return reply instanceof ReplyError && reply.kind === 'MOVED';
}

/** The server was a primary when we connected, and is none any more: the primary is elsewhere now. */
function isNoPrimary(reply: Reply): boolean {
  return reply instanceof ReplyError && reply.kind === 'READONLY';
}

/** Losing the connection is the only way in which a pipeline fails; what that means is the owner's to decide. */
async function repliesOrLoss(pipeline: Promise<Reply[]>): Promise<Reply[] | 'lost'> {
  try {
    return await pipeline;
  } catch {
    return 'lost';
  }
}
