/**
 * A primary hands over to its replica without loss where there is no FAILOVER (before 6.2): it refuses writes, the replica gets
 * what was written before, and is promoted.
 *
 * Writes are refused by wanting more replicas than there are (NOREPLICAS). CLIENT PAUSE would hold back everything on these
 * servers, our own questions too, and when it is over clients may be quicker than the order to follow the new primary.
 */
import { ReplyError } from '../../engine/resp/reply.ts';
import { textOf } from '../../engine/resp/reply-text.ts';
import { infoOf } from './aim.ts';
import { awaitEvidence } from './evidence.ts';
import type { FaultContext } from './fault.ts';
import { tell } from './server-settings.ts';
import type { FaultNode } from './subjects.ts';

/** Its name before 5.0, understood ever since. */
const REPLICAS_WANTED = 'min-slaves-to-write';
const NEVER = '1000';

/** The server does not know FAILOVER. */
export function lacksFailover(reply: unknown): boolean {
  return reply instanceof ReplyError && /unknown command/i.test(reply.message);
}

/**
 * @param retire ends the old primary, or makes it follow; clients cannot write there meanwhile. True: it is still there.
 * @returns whether the heir had everything, and is the primary now. @throws SyncError what a server refuses.
 */
export async function handOver(
  context: FaultContext,
  old: FaultNode,
  heir: FaultNode,
  retire: () => Promise<boolean>,
): Promise<boolean> {
  const setting = await tell(old, 'CONFIG', 'GET', REPLICAS_WANTED);
  const before = Array.isArray(setting) ? textOf(setting[1]) : '0';
  await tell(old, 'CONFIG', 'SET', REPLICAS_WANTED, NEVER);
  const { master_repl_offset: offset = '0' } = await infoOf(old, 'replication');
  const hasAll = await awaitEvidence(context, async () => {
    const { slave_repl_offset: reached = '-1' } = await infoOf(heir, 'replication');
    return BigInt(reached) >= BigInt(offset) ? true : null;
  });
  if (hasAll !== null) await tell(heir, 'REPLICAOF', 'NO', 'ONE');
  const isThere = hasAll === null || (await retire());
  if (isThere) await tell(old, 'CONFIG', 'SET', REPLICAS_WANTED, before);
  return hasAll !== null;
}
