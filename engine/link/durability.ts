/**
 * Follows how far a target's replicas have what was applied (`durability: { replicas: n }`), on a connection of its own, so
 * that applying never waits for them:
 *
 *   applied up to a ─▶ INFO (target's offset o) · WAIT n · INFO ─▶ n replicas have acknowledged o ─▶ durable up to a
 *
 * WAIT is what makes the target ask its replicas at once; that it counts n is not enough, because it also counts whoever only
 * reads the stream. (A WAIT covers what anybody wrote before it: measured on Redis 7.0, where the offset it waits for is set
 * by every command of the connection, INFO too.)
 */
import { openWhere } from '../connect/discover.ts';
import type { Whereabouts } from '../connect/discovery.ts';
import { describeEndpoint } from '../connect/endpoint.ts';
import type { Connection } from '../connect/connection.ts';
import { wordReplyError } from '../connect/reply-errors.ts';
import type { LinkFinding } from '../apply/finding.ts';
import { asError, SyncError } from '../errors.ts';
import { delay } from '../psync/backoff.ts';
import { parseInfo } from '../resp/reply-text.ts';
import { ReplyError, type Reply } from '../resp/reply.ts';
import type { DurabilityPolicy } from './options.ts';
import { readSample } from './target-sample.ts';

export interface DurabilityOptions {
  policy: Exclude<DurabilityPolicy, 'none'>;
  /** Asked before every connection: the target may have moved. */
  target: () => Whereabouts;
  /** Source offset up to which everything is on the target; below 0 while there is none. */
  appliedOffset: () => bigint;
  onDurable: (offset: bigint) => void;
  onFinding: (finding: LinkFinding) => void;
}

const RETRY_MS = 200;
const IDLE_MS = 200;
/** On top of the WAIT's own limit. */
const REPLY_TIMEOUT_MS = 5000;

export class Durability {
  readonly #options: DurabilityOptions;
  readonly #ending = new AbortController();
  readonly #running: Promise<void>;
  #durable = -1n;
  #wake: (() => void) | undefined;
  /** Replicas that do not follow were said so. */
  #isLate = false;
  #isRefused = false;

  constructor(options: DurabilityOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** Source offset up to which enough replicas of the target have everything; -1 while there is none. */
  get offset(): bigint {
    return this.#durable;
  }

  /** Something was applied. */
  advanced(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  /** Waits once more for what was applied last, at most as long as the policy waits, unless there is no time. Never throws. */
  async close(isHasty: boolean): Promise<void> {
    const { policy, appliedOffset } = this.#options;
    const deadlineMs = performance.now() + (isHasty ? 0 : policy.timeoutMs);
    while (this.#durable < appliedOffset() && !this.#isRefused && performance.now() < deadlineMs)
      await delay(10);
    this.#ending.abort();
    this.advanced();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    let connection: Connection | undefined;
    const onEnd = (): void => void connection?.close();
    signal.addEventListener('abort', onEnd, { once: true });
    while (!signal.aborted) {
      const applied = this.#options.appliedOffset();
      if (applied <= this.#durable) {
        await this.#progress();
        continue;
      }
      try {
        connection ??= await this.#open(signal);
        if (await this.#confirm(connection)) this.#advance(applied);
      } catch (error) {
        this.#refused(asError(error));
        await connection?.close();
        connection = undefined;
        await delay(RETRY_MS, signal);
      }
    }
    await connection?.close();
  }

  /** Resolves when something was applied; after a while in any case: that the stream has begun is told by nobody. */
  async #progress(): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await delay(IDLE_MS, woken.signal);
  }

  #open(signal: AbortSignal): Promise<Connection> {
    const { target, policy } = this.#options;
    const replyTimeoutMs = policy.timeoutMs + REPLY_TIMEOUT_MS;
    return openWhere(target(), { name: 'redis-sync:durability', replyTimeoutMs, signal });
  }

  /** Whether enough replicas have everything that the target has at this moment. */
  async #confirm(connection: Connection): Promise<boolean> {
    const { replicas, timeoutMs } = this.#options.policy;
    const [before = null, counted = null, after = null] = await connection.pipeline([
      ['INFO', 'replication'],
      ['WAIT', replicas, timeoutMs],
      ['INFO', 'replication'],
    ]);
    if (counted instanceof ReplyError) throw wordReplyError(counted, connection.endpoint, 'WAIT');
    const confirmed = countConfirmed(before, Number(counted), after);
    if (confirmed >= replicas) return true;
    this.#late(confirmed, describeEndpoint(connection.endpoint));
    // A WAIT that was satisfied by somebody else comes back at once.
    if (Number(counted) >= replicas) await delay(RETRY_MS, this.#ending.signal);
    return false;
  }

  #advance(applied: bigint): void {
    this.#durable = applied;
    this.#isLate = false;
    this.#options.onDurable(applied);
  }

  #late(confirmed: number, where: string): void {
    if (this.#isLate || this.#ending.signal.aborted) return;
    this.#isLate = true;
    const { policy, appliedOffset, onFinding } = this.#options;
    const { replicas, timeoutMs } = policy;
    onFinding({
      code: 'LAG',
      severity: 'warning',
      message: `Of ${replicas} replicas of ${where} that are to have every write, ${confirmed} had confirmed them after ${timeoutMs} ms: the source is not told that they are durable.`,
      evidence: {
        shard: where,
        wanted: replicas,
        confirmed,
        timeoutMs,
        durableOffset: String(this.#durable),
        appliedOffset: String(appliedOffset()),
      },
    });
  }

  #refused(error: Error): void {
    if (!(error instanceof SyncError) || error.retryable || this.#isRefused) return;
    this.#isRefused = true;
    this.#options.onFinding({
      code: 'NOT_DURABLE',
      severity: 'error',
      message: `Whether replicas of the target have what was applied cannot be told: ${error.message}`,
      evidence: { policy: this.#options.policy, durableOffset: String(this.#durable) },
    });
  }
}

/** Real replicas that have acknowledged the offset of the first INFO; what WAIT counted where INFO says nothing. */
function countConfirmed(before: Reply, counted: number, after: Reply): number {
  if (before instanceof ReplyError || after instanceof ReplyError) return counted;
  const { offset } = readSample(parseInfo(before));
  return readSample(parseInfo(after)).replicas.filter((replica) => replica.offset >= offset).length;
}
