/**
 * Writes the time to the source once per interval, so that it comes back through the stream and tells how far behind a
 * target is: `SETEX <prefix>:<id> <ttl> <ms>`. The key is filtered on every path to a target and dies by itself soon after
 * we do (S2-2 … S2-4).
 *
 * A source we may not write to only costs precision: reported once, then the lag is unknown (S2-5).
 */
import type { Connection } from '../connect/connection.ts';
import { openWhere } from '../connect/discover.ts';
import type { Whereabouts } from '../connect/discovery.ts';
import { asError, SyncError } from '../errors.ts';
import { delay } from '../psync/backoff.ts';

export interface HeartbeatOptions {
  /** Asked before every connection: the source may have moved. */
  source: () => Whereabouts;
  /** Full key. */
  key: string;
  intervalMs: number;
  wallClock: () => number;
  /** The account may not write, or the source is read-only; called at most once. */
  onRefused: (error: Error) => void;
}

/** Seldom enough that no account is locked. */
const REFUSED_INTERVAL_MS = 30_000;
/** How long removing the key may take at the end: it dies by itself anyway. */
const FAREWELL_MS = 1000;

/** Runs until the signal aborts; never throws. Removes the key at the end. */
export async function runHeartbeat(options: HeartbeatOptions, signal: AbortSignal): Promise<void> {
  const { source, key, intervalMs, wallClock } = options;
  const ttlSeconds = Math.max(3, Math.ceil((3 * intervalMs) / 1000));
  let connection: Connection | undefined;
  let reported = false;
  /** This connection could write: one that cannot any more may only have to be opened anew, to another primary. */
  let worked = false;
  while (!signal.aborted) {
    try {
      connection ??= await openWhere(source(), {
        name: 'redis-sync:heartbeat',
        replyTimeoutMs: 10_000,
        signal,
      });
      await withinOrAborted(connection.call('SETEX', key, ttlSeconds, wallClock()), signal);
      worked = true;
    } catch (error) {
      const mayHaveMoved = worked && !isFinal(error);
      worked = false;
      if (isRefusal(error) && !mayHaveMoved && !signal.aborted && !reported) {
        reported = true;
        options.onRefused(asError(error));
      }
      await connection?.close();
      connection = undefined;
      // A memory limit or a missing replica will pass soon; a right or a password somebody has to give back.
      if (isFinal(error) && !signal.aborted) await delay(REFUSED_INTERVAL_MS, signal);
    }
    await delay(intervalMs, signal);
  }
  await farewell(connection, key);
  await connection?.close();
}

async function farewell(connection: Connection | undefined, key: string): Promise<void> {
  const answered = new AbortController();
  const removed = connection?.tryCall('DEL', key).catch(() => undefined);
  await Promise.race([removed, delay(FAREWELL_MS, answered.signal)]);
  // A timer that goes on would keep the process alive for as long.
  answered.abort();
}

/** The answer, unless the signal aborts first: a source that hangs must not hold up the end. */
async function withinOrAborted(answer: Promise<unknown>, signal: AbortSignal): Promise<void> {
  answer.catch(() => undefined);
  let stop: (() => void) | undefined;
  const aborted = new Promise<void>((resolve) => (stop = resolve));
  const onAbort = (): void => stop?.();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([answer, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function isRefusal(error: unknown): boolean {
  return isFinal(error) || (error instanceof SyncError && error.code === 'TARGET_NOT_WRITABLE');
}

function isFinal(error: unknown): boolean {
  return error instanceof SyncError && (error.code === 'PERMISSION' || error.code === 'AUTH');
}
