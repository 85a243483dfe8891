/**
 * Asks one primary whether enough of its replicas have what it has at this moment, on a connection that is kept:
 *
 *   INFO (its offset o) · WAIT n · INFO ─▶ n replicas have acknowledged o
 *
 * WAIT is what makes it ask its replicas at once; that it counts n is not enough, because it also counts whoever only
 * reads the stream. On Redis 7.0 a WAIT covers what anybody wrote before it (the offset it waits for is set by every command of
 * the connection, INFO too). Redis 8.0 and Valkey 8.1 wait for what the connection itself has written, so it writes something:
 *
 *   … not yet ─▶ SET, DEL of a key of our own · WAIT n · INFO ─▶ n replicas have acknowledged o
 *
 * A history that is new to us is that of a replica that was promoted, or of a server that began anew: whether it has what was
 * applied before is asked first (`holds`).
 */
import type { LanePlace } from '../apply/link-lane.ts';
import type { Connection } from '../connect/connection.ts';
import { openWhere } from '../connect/discover.ts';
import { describeEndpoint } from '../connect/endpoint.ts';
import { wordReplyError } from '../connect/reply-errors.ts';
import { asError, SyncError } from '../errors.ts';
import { delay } from '../psync/backoff.ts';
import { parseInfo } from '../resp/reply-text.ts';
import { ReplyError, type Reply } from '../resp/reply.ts';
import type { DurabilityPolicy } from './options.ts';
import { readSample } from './target-sample.ts';

export interface ReplicaCountOptions {
  policy: Exclude<DurabilityPolicy, 'none'>;
  /** Replicas do not follow; once, until they do. @param where `host:port`. */
  onLate: (confirmed: number, where: string) => void;
  /** Nobody lets us ask. */
  onRefused: (error: SyncError) => void;
}

const RETRY_MS = 200;
/** On top of the WAIT's own limit. */
const REPLY_TIMEOUT_MS = 5000;

export class ReplicaCount {
  readonly #options: ReplicaCountOptions;
  #connection: Connection | undefined;
  /** Of the server that is known to have what was applied. */
  #history: string | undefined;
  /** Replicas that do not follow were said so. */
  #isLate = false;

  constructor(options: ReplicaCountOptions) {
    this.#options = options;
  }

  /** Whether enough replicas have everything that the server has at this moment. False has waited. Never throws. */
  async confirm(place: LanePlace, signal: AbortSignal): Promise<boolean> {
    const onEnd = (): void => void this.#connection?.close();
    signal.addEventListener('abort', onEnd, { once: true });
    try {
      this.#connection ??= await this.#open(place, signal);
      return await this.#ask(this.#connection, place, signal);
    } catch (thrown) {
      const error = asError(thrown);
      const isRefused = error instanceof SyncError && !error.retryable && !signal.aborted;
      if (isRefused) this.#options.onRefused(error);
      await this.close();
      await delay(RETRY_MS, signal);
      return false;
    } finally {
      signal.removeEventListener('abort', onEnd);
    }
  }

  async close(): Promise<void> {
    await this.#connection?.close();
    this.#connection = undefined;
  }

  #open({ whereabouts }: LanePlace, signal: AbortSignal): Promise<Connection> {
    const replyTimeoutMs = this.#options.policy.timeoutMs + REPLY_TIMEOUT_MS;
    return openWhere(whereabouts, { name: 'redis-sync:durability', replyTimeoutMs, signal });
  }

  async #ask(connection: Connection, place: LanePlace, signal: AbortSignal): Promise<boolean> {
    const { replicas, timeoutMs } = this.#options.policy;
    const [before = null, counted = null, after = null] = await connection.pipeline([
      ['INFO', 'replication'],
      ['WAIT', replicas, timeoutMs],
      ['INFO', 'replication'],
    ]);
    const history = historyOf(before, connection);
    if (counted instanceof ReplyError) throw wordReplyError(counted, connection.endpoint, 'WAIT');
    if (history !== this.#history) {
      if (await place.holds(connection)) this.#history = history;
      else await delay(RETRY_MS, signal);
      // What was brought back to it in the meantime is not counted yet.
      return false;
    }
    const answered = countConfirmed(before, Number(counted), after);
    const isAtOnce = answered < replicas && Number(counted) >= replicas;
    const confirmed = isAtOnce ? await this.#urge(connection, place, before, signal) : answered;
    this.#isLate &&= confirmed < replicas;
    if (confirmed >= replicas) return true;
    if (!signal.aborted) this.#late(confirmed, describeEndpoint(connection.endpoint));
    return false;
  }

  /** The WAIT did not wait. @returns how many replicas have the offset of `before` in the end. */
  async #urge(
    connection: Connection,
    { ownKey }: LanePlace,
    before: Reply,
    signal: AbortSignal,
  ): Promise<number> {
    const { replicas, timeoutMs } = this.#options.policy;
    const deadlineMs = performance.now() + timeoutMs;
    for (;;) {
      const replies = await connection.pipeline([
        ['MULTI'],
        ['SET', ownKey, 1],
        ['DEL', ownKey],
        ['EXEC'],
        ['WAIT', replicas, timeoutMs],
        ['INFO', 'replication'],
      ]);
      const confirmed = countConfirmed(before, Number(replies[4]), replies[5] ?? null);
      if (confirmed >= replicas || performance.now() > deadlineMs || signal.aborted) return confirmed;
      // It was satisfied by whoever only listens, or did not take our write.
      await delay(RETRY_MS, signal);
    }
  }

  #late(confirmed: number, where: string): void {
    if (this.#isLate) return;
    this.#isLate = true;
    this.#options.onLate(confirmed, where);
  }
}

/** Empty where INFO says nothing. @throws SyncError CONNECT when it is a replica now: its primary is to be asked. */
function historyOf(reply: Reply, { endpoint }: Connection): string {
  if (reply instanceof ReplyError) return '';
  const info = parseInfo(reply);
  if (info['role'] === 'slave')
    throw new SyncError('CONNECT', 'The server is a replica now.', {
      where: describeEndpoint(endpoint),
      retryable: true,
    });
  return info['master_replid'] ?? '';
}

/** Real replicas that have acknowledged the offset of the first INFO; what WAIT counted where INFO says nothing. */
function countConfirmed(before: Reply, counted: number, after: Reply): number {
  if (before instanceof ReplyError || after instanceof ReplyError) return counted;
  const { offset } = readSample(parseInfo(before));
  return readSample(parseInfo(after)).replicas.filter((replica) => replica.offset >= offset).length;
}
