/**
 * The connection of one lane to its target, reopened with backoff. What was in flight when it broke is for the lane to
 * decide: it reads the checkpoint and knows.
 *
 * A new connection first ends those the lane had before, in this process or in one that was killed: bytes of theirs that
 * are still on their way would be executed behind ours.
 */
import { Connection } from '../connect/connection.ts';
import { discoveryOf } from '../connect/discover.ts';
import type { Discovery, Whereabouts } from '../connect/discovery.ts';
import { describeEndpoint, type Endpoint } from '../connect/endpoint.ts';
import { isWorthWaiting, lastWord, Patience, type Circumstances } from '../connect/patience.ts';
import { asError, SyncError } from '../errors.ts';
import { Backoff } from '../psync/backoff.ts';

export interface TargetOptions {
  endpoint: Whereabouts;
  name: string;
  replyTimeoutMs: number;
  retryMs: number;
  random: () => number;
  now: () => number;
  /** Called before each wait, also when a reply (not the connection) makes the lane wait. */
  onWaiting: (error: Error, waitMs: number) => void;
  onWorking: () => void;
  /** Asked before each wait: what to give up with instead, if a policy does not want to wait for this. */
  judge?: (error: SyncError) => SyncError | undefined;
  /** Asked with each new connection whether it may be used, before those of the lane's predecessors are ended. */
  claim?: (connection: Connection) => Promise<void>;
  /** A connection was made to another address than the one before. */
  onMoved?: (from: Endpoint, to: Endpoint) => void;
}

export class Target {
  readonly #options: TargetOptions;
  readonly #backoff: Backoff;
  readonly #patience = new Patience();
  #discovery: Discovery;
  #connection: Connection | undefined;
  /** Where the last connection went. */
  #endpoint: Endpoint | undefined;
  #waiting = false;
  #hasWorked = false;

  constructor(options: TargetOptions) {
    this.#options = options;
    this.#discovery = discoveryOf(options.endpoint);
    const { retryMs, random, now } = options;
    this.#backoff = new Backoff({ firstMs: 50, capMs: 2000, budgetMs: retryMs, random, now });
  }

  /** The live connection, if there is one. */
  get current(): Connection | undefined {
    return this.#connection?.closed === true ? undefined : this.#connection;
  }

  /**
   * A connection on database 0; a broken one is replaced.
   *
   * @throws SyncError the last failure when the retry budget is spent or it is not retryable; the signal's reason.
   */
  async connect(signal: AbortSignal): Promise<Connection> {
    for (;;) {
      signal.throwIfAborted();
      if (this.current !== undefined) return this.current;
      try {
        this.#connection = await this.#open(signal);
      } catch (error) {
        await this.wait(asError(error), signal);
      }
    }
  }

  /**
   * Does something on a connection. An abort closes it, so that nobody goes on waiting for an answer.
   *
   * @throws what `connect` and `work` throw.
   */
  async use<Result>(signal: AbortSignal, work: (connection: Connection) => Promise<Result>): Promise<Result> {
    const connection = await this.connect(signal);
    return closedOnAbort(connection, signal, () => work(connection));
  }

  /** As `use`, again and again until it works. @throws SyncError what does not get better by waiting; the signal's reason. */
  async attempt<Result>(
    signal: AbortSignal,
    work: (connection: Connection) => Promise<Result>,
  ): Promise<Result> {
    for (;;) {
      try {
        return await this.use(signal, work);
      } catch (error) {
        await this.wait(asError(error), signal);
      }
    }
  }

  /**
   * Waits before another try of what failed with `error`.
   *
   * @throws `error` itself when it is not retryable or the budget is spent.
   */
  async wait(error: Error, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!(error instanceof SyncError)) throw error;
    const verdict = this.#options.judge?.(error);
    if (verdict !== undefined) throw verdict;
    if (!isWorthWaiting(error, this.#circumstances())) throw lastWord(error, this.#circumstances());
    const waitMs = this.#backoff.next();
    if (waitMs === undefined) throw error;
    this.#waiting = true;
    this.#options.onWaiting(error, waitMs);
    await this.#patience.pause(error, waitMs, this.#circumstances(), signal);
  }

  /**
   * The target is to be found elsewhere from now on, or with another login. A connection to an address that is no longer
   * meant is closed: what was in flight on it is decided by the checkpoint, as after any break.
   */
  async relocate(endpoint: Whereabouts, signal: AbortSignal): Promise<void> {
    this.#discovery = discoveryOf(endpoint);
    const before = this.current?.endpoint;
    const now = await this.#discovery.locate({ signal }).catch(() => undefined);
    const isSame = before && now && describeEndpoint(before) === describeEndpoint(now);
    if (!isSame) await this.close();
    this.#patience.interrupt();
  }

  /** Something was applied: the next failure gets a new budget. */
  worked(): void {
    this.#hasWorked = true;
    if (!this.#waiting) return;
    this.#waiting = false;
    this.#backoff.reset();
    this.#options.onWorking();
  }

  describe(): string {
    return this.#endpoint === undefined ? this.#discovery.describe() : describeEndpoint(this.#endpoint);
  }

  async close(): Promise<void> {
    await this.#connection?.close();
  }

  async #open(signal: AbortSignal): Promise<Connection> {
    const { replyTimeoutMs } = this.#options;
    const discovery = this.#discovery;
    const endpoint = await discovery.locate({ signal });
    // CLIENT SETNAME takes no spaces.
    const name = this.#options.name.replaceAll(/[^!-~]/g, '_');
    const connection = await Connection.open(endpoint, { name, replyTimeoutMs, signal });
    try {
      await closedOnAbort(connection, signal, async () => {
        await this.#options.claim?.(connection);
        await endPredecessors(connection, name);
      });
      signal.throwIfAborted();
    } catch (error) {
      await connection.close();
      throw error;
    }
    discovery.confirm(endpoint);
    const before = this.#endpoint;
    this.#endpoint = endpoint;
    if (before && describeEndpoint(before) !== describeEndpoint(endpoint))
      this.#options.onMoved?.(before, endpoint);
    return connection;
  }

  #circumstances(): Circumstances {
    return { hasWorked: this.#hasWorked, passwordFile: this.#endpoint?.passwordFile };
  }
}

async function closedOnAbort<Result>(
  connection: Connection,
  signal: AbortSignal,
  work: () => Promise<Result>,
): Promise<Result> {
  const onAbort = (): void => void connection.close();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await work();
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Ends the other connections of this name. An account that may not only loses this guard; the stream has another. */
async function endPredecessors(connection: Connection, name: string): Promise<void> {
  const [own, list] = await connection.pipeline([
    ['CLIENT', 'ID'],
    ['CLIENT', 'LIST'],
  ]);
  if (typeof own !== 'number' || !Buffer.isBuffer(list)) return;
  const ids = list
    .toString('latin1')
    .split('\n')
    .filter((line) => line.includes(` name=${name} `))
    .map((line) => /^id=(\d+) /.exec(line)?.[1])
    .filter((id) => id !== undefined && Number(id) !== own);
  await connection.pipeline(ids.map((id) => ['CLIENT', 'KILL', 'ID', id ?? '']));
}
