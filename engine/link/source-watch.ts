/**
 * Asks the source once per interval what time it is and how far its stream is, so that we know which of its times is applied
 * (apply/expiry/source-timeline.ts) and how far its clock is from ours. Two small reads; a source that refuses INFO costs
 * precision only, and one that sends us nothing is left alone.
 */
import type { Connection } from '../connect/connection.ts';
import { openWhere } from '../connect/discover.ts';
import type { Whereabouts } from '../connect/discovery.ts';
import { historyName } from '../connect/history-name.ts';
import { delay } from '../psync/backoff.ts';
import { parseInfo } from '../resp/reply-text.ts';
import { timeOf } from '../apply/expiry/settlement.ts';
import type { SourceTimeline } from '../apply/expiry/source-timeline.ts';
import type { ClockOffset } from './clock-offset.ts';

const REPLY_TIMEOUT_MS = 10_000;

export interface SourceWatchOptions {
  /** Asked before every connection: the source may have moved. */
  source: () => Whereabouts;
  /** The history that we are in, offsets of another one say nothing; undefined while the source does not send to us. */
  replid: () => string | undefined;
  intervalMs: number;
  wallClock: () => number;
  clock: ClockOffset;
  timeline: SourceTimeline;
}

/** Runs until the signal aborts; never throws. */
export async function watchSource(options: SourceWatchOptions, signal: AbortSignal): Promise<void> {
  let connection: Connection | undefined;
  const onAbort = (): void => void connection?.close();
  signal.addEventListener('abort', onAbort, { once: true });
  while (!signal.aborted) {
    if (options.replid() === undefined) {
      await connection?.close();
      connection = undefined;
      await delay(options.intervalMs, signal);
      continue;
    }
    try {
      connection ??= await openWhere(options.source(), {
        name: 'redis-sync:watch',
        replyTimeoutMs: REPLY_TIMEOUT_MS,
        signal,
      });
      await look(connection, options);
    } catch {
      await connection?.close();
      connection = undefined;
    }
    await delay(options.intervalMs, signal);
  }
  signal.removeEventListener('abort', onAbort);
  await connection?.close();
}

/** TIME first: what was written before it has an offset that INFO does not fall short of. */
async function look(connection: Connection, options: SourceWatchOptions): Promise<void> {
  const { clock, timeline, wallClock, replid } = options;
  const askedAtMs = wallClock();
  const [time, info] = await connection.pipeline([['TIME'], ['INFO', 'replication']]);
  clock.observe(time, askedAtMs, wallClock());
  const replication = parseInfo(info ?? null);
  const offset = replication['master_repl_offset'];
  const sourceMs = timeOf(time);
  if (offset === undefined || !Number.isFinite(sourceMs)) return;
  if ((await historyName(connection, replication)) === replid()) timeline.observe(BigInt(offset), sourceMs);
}
