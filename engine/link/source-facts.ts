/** What a source says about itself besides its answer to PSYNC: who it is, how old its history is, how much data it has. */
import { Connection } from '../connect/connection.ts';
import { openWhere } from '../connect/discover.ts';
import type { Whereabouts } from '../connect/discovery.ts';
import type { Endpoint } from '../connect/endpoint.ts';
import { wordReplyError } from '../connect/reply-errors.ts';
import { parseInfo } from '../resp/reply-text.ts';
import { ReplyError } from '../resp/reply.ts';
import type { ClockOffset } from './clock-offset.ts';
import type { Backlog } from './feed-plan.ts';

export interface SourceFacts {
  /** Changes with every start of the server process. */
  runId: string;
  replid: string;
  /** The history it continues, and the first offset in which it differs from it; empty and -1 when it continues none. */
  replid2: string;
  secondOffset: bigint;
  offset: bigint;
  /** Keys in all databases, expired ones that linger included. */
  keys: number;
}

const TIMEOUT_MS = 5000;

/**
 * Measured on a connection of its own: the one that asked PSYNC speaks replication from then on.
 *
 * @param clock is told the source's time.
 * @throws SyncError CONNECT, AUTH, PERMISSION (the account may not run INFO).
 */
export async function readSourceFacts(
  endpoint: Endpoint,
  signal: AbortSignal,
  clock?: ClockOffset,
): Promise<SourceFacts> {
  await using connection = await Connection.open(endpoint, {
    name: 'redis-sync:facts',
    connectTimeoutMs: TIMEOUT_MS,
    replyTimeoutMs: TIMEOUT_MS,
    signal,
  });
  await clock?.measure(connection, () => Date.now());
  const replies = await connection.pipeline([
    ['INFO', 'server'],
    ['INFO', 'replication'],
    ['INFO', 'keyspace'],
  ]);
  const refused = replies.find((reply) => reply instanceof ReplyError);
  if (refused instanceof ReplyError) throw wordReplyError(refused, endpoint, 'INFO');
  const [server = {}, replication = {}, keyspace = {}] = replies.map((reply) => parseInfo(reply));
  const replid2 = replication['master_replid2'] ?? '';
  return {
    runId: server['run_id'] ?? '',
    // One before 4.0 has a history per run.
    replid: replication['master_replid'] ?? server['run_id'] ?? '',
    replid2: /^0*$/.test(replid2) ? '' : replid2,
    secondOffset: BigInt(replication['second_repl_offset'] ?? -1),
    offset: BigInt(replication['master_repl_offset'] ?? -1),
    keys: countKeys(keyspace),
  };
}

/** Sums up `db0:keys=12,expires=3,…`. */
export function countKeys(keyspace: Readonly<Record<string, string>>): number {
  let keys = 0;
  for (const [name, fields] of Object.entries(keyspace))
    if (/^db\d+$/.test(name)) keys += Number(/keys=(\d+)/.exec(fields)?.[1] ?? 0);
  return keys;
}

/** What the source can continue from; undefined when it does not tell. Never throws. */
export async function readBacklog(source: Whereabouts, signal: AbortSignal): Promise<Backlog | undefined> {
  try {
    await using connection = await openWhere(source, { replyTimeoutMs: TIMEOUT_MS, signal });
    const facts = parseInfo(await connection.call('INFO', 'replication'));
    const first = facts['repl_backlog_first_byte_offset'];
    return facts['repl_backlog_active'] === '1' && first !== undefined
      ? { firstOffset: BigInt(first) }
      : undefined;
  } catch {
    // Down, or not allowed: then everybody asks together.
    return undefined;
  }
}
