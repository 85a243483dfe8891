/**
 * The connection of one lane to its target, reopened with backoff. What was in flight when it broke is for the lane to
 * decide: it reads the checkpoint and knows.
 *
 * A new connection first ends those the lane had before, in this process or in one that was killed: bytes of theirs that
 * are still on their way would be executed behind ours.
 */
import { Connection } from '../connect/connection.ts';
import { describeEndpoint, type Endpoint } from '../connect/endpoint.ts';
import { asError, SyncError } from '../errors.ts';
import { Backoff, delay } from '../psync/backoff.ts';

export interface TargetOptions {
  endpoint: Endpoint;
  name: string;
  replyTimeoutMs: number;
  retryMs: number;
  random: () => number;
  now: () => number;
  /** Called before each wait, also when a reply (not the connection) makes the lane wait. */
  onWaiting: (error: Error, waitMs: number) => void;
  onWorking: () => void;
}

export class Target {
  readonly #options: TargetOptions;
  readonly #backoff: Backoff;
  #connection: Connection | undefined;
  #waiting = false;

  constructor(options: TargetOptions) {
    this.#options = options;
    const { retryMs, random, now } = options;
    this.#backoff = new Backoff({ firstMs: 50, capMs: 2000, budgetMs: retryMs, random, now });
  }

  get endpoint(): Endpoint {
    return this.#options.endpoint;
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
   * Waits before another try of what failed with `error`.
   *
   * @throws `error` itself when it is not retryable or the budget is spent.
   */
  async wait(error: Error, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const waitMs = error instanceof SyncError && error.retryable ? this.#backoff.next() : undefined;
    if (waitMs === undefined) throw error;
    this.#waiting = true;
    this.#options.onWaiting(error, waitMs);
    await delay(waitMs, signal);
  }

  /** Something was applied: the next failure gets a new budget. */
  worked(): void {
    if (!this.#waiting) return;
    this.#waiting = false;
    this.#backoff.reset();
    this.#options.onWorking();
  }

  describe(): string {
    return describeEndpoint(this.#options.endpoint);
  }

  async close(): Promise<void> {
    await this.#connection?.close();
  }

  async #open(signal: AbortSignal): Promise<Connection> {
    const { endpoint, replyTimeoutMs } = this.#options;
    // CLIENT SETNAME takes no spaces.
    const name = this.#options.name.replaceAll(/[^!-~]/g, '_');
    const connection = await Connection.open(endpoint, { name, replyTimeoutMs, signal });
    try {
      await endPredecessors(connection, name);
      signal.throwIfAborted();
    } catch (error) {
      await connection.close();
      throw error;
    }
    return connection;
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
