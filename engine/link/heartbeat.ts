/**
 * Writes the time to the source once per interval, so that it comes back through the stream and tells how far behind a
 * target is: `SETEX <prefix>:<id> <ttl> <ms>`. The key is filtered on every path to a target and dies by itself soon after
 * we do (S2-2 … S2-4).
 *
 * A source we may not write to only costs precision: reported once, then the lag is unknown (S2-5).
 */
import { Connection } from '../connect/connection.ts';
import type { Endpoint } from '../connect/endpoint.ts';
import { asError, SyncError } from '../errors.ts';
import { delay } from '../psync/backoff.ts';

export interface HeartbeatOptions {
  source: Endpoint;
  /** Full key. */
  key: string;
  intervalMs: number;
  wallClock: () => number;
  /** The account may not write, or the source is read-only; called at most once. */
  onRefused: (error: Error) => void;
}

/** Runs until the signal aborts; never throws. Removes the key at the end. */
export async function runHeartbeat(options: HeartbeatOptions, signal: AbortSignal): Promise<void> {
  const { source, key, intervalMs, wallClock } = options;
  const ttlSeconds = Math.max(3, Math.ceil((3 * intervalMs) / 1000));
  let connection: Connection | undefined;
  while (!signal.aborted) {
    try {
      connection ??= await Connection.open(source, {
        name: 'redis-sync:heartbeat',
        replyTimeoutMs: 10_000,
        signal,
      });
      await connection.call('SETEX', key, ttlSeconds, wallClock());
    } catch (error) {
      if (isRefusal(error)) {
        if (!signal.aborted) options.onRefused(asError(error));
        break;
      }
      await connection?.close();
      connection = undefined;
    }
    await delay(intervalMs, signal);
  }
  await connection?.tryCall('DEL', key).catch(() => undefined);
  await connection?.close();
}

function isRefusal(error: unknown): boolean {
  return (
    error instanceof SyncError &&
    (error.code === 'PERMISSION' || error.code === 'AUTH' || error.code === 'TARGET_NOT_WRITABLE')
  );
}
