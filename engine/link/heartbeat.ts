/**
 * Writes the time to the source once per interval, so that it comes back through the stream and tells how far behind a
 * target is: `SETEX <prefix>:<id> <ttl> <ms>`. The key is filtered on every path to a target and dies by itself soon after
 * we do (S2-2 … S2-4).
 *
 * A source we may not write to only costs precision: reported once, then the lag is unknown (S2-5).
 */
import type { Connection } from '../connect/connection.ts';
import { isMisplaced } from '../apply/replies.ts';
import { readTopology } from '../connect/cluster-topology.ts';
import { openWhere } from '../connect/discover.ts';
import { tagOfSlot } from '../keys/cluster-slot.ts';
import { ReplyError } from '../resp/reply.ts';
import type { Whereabouts } from '../connect/discovery.ts';
import { asError, SyncError } from '../errors.ts';
import { delay } from '../psync/backoff.ts';

export interface HeartbeatOptions {
  /** Asked before every connection: the source may have moved. */
  source: () => Whereabouts;
  /** Full key. */
  key: string;
  /** The source is one shard of a cluster: the key gets a tag that puts it into one of its slots. */
  inOwnSlot?: boolean;
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
  const { source, intervalMs, wallClock, inOwnSlot } = options;
  const ttlSeconds = Math.max(3, Math.ceil((3 * intervalMs) / 1000));
  let connection: Connection | undefined;
  let reported = false;
  /** This connection could write: one that cannot any more may only have to be opened anew, to another primary. */
  let worked = false;
  let { key } = options;
  while (!signal.aborted) {
    try {
      if (connection === undefined) {
        connection = await openWhere(source(), {
          name: 'redis-sync:heartbeat',
          replyTimeoutMs: 10_000,
          signal,
        });
        if (inOwnSlot === true) key = `${options.key}${await ownTag(connection)}`;
      }
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

/** The tag of a slot that this node has. */
async function ownTag(connection: Connection): Promise<string> {
  const { shards, self } = await readTopology(connection);
  const slot = shards.find(({ primary }) => primary.id === self)?.slots[0]?.[0];
  if (slot === undefined) throw new SyncError('CONNECT', 'The shard has no slot.', { retryable: true });
  return `{${tagOfSlot(slot)}}`;
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
  // The slot of the key has moved: it gets another one.
  if (error instanceof SyncError && error.cause instanceof ReplyError && isMisplaced(error.cause))
    return false;
  return error instanceof SyncError && (error.code === 'PERMISSION' || error.code === 'AUTH');
}
