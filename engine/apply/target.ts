/**
 * The connection of one lane to its target, reopened with backoff. What was in flight when it broke is for the lane to
 * decide: it reads the checkpoint and knows.
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
        const { endpoint, name, replyTimeoutMs } = this.#options;
        this.#connection = await Connection.open(endpoint, { name, replyTimeoutMs, signal });
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
}
