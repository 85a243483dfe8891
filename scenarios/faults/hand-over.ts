/**
 * A primary hands over to its replica without loss where there is no FAILOVER (before 6.2): clients are held back, the replica
 * gets what they had written, and is promoted.
 *
 * CLIENT PAUSE holds back every command behind it, ours too, on servers that know no CLIENT PAUSE WRITE. So the offset is asked
 * in the same transaction, which nothing interrupts.
 */
import { parseInfo, textOf } from '../../engine/resp/reply-text.ts';
import { ReplyError } from '../../engine/resp/reply.ts';
import { SyncError } from '../../engine/errors.ts';
import { infoOf, openNode } from './aim.ts';
import { awaitEvidence } from './evidence.ts';
import type { FaultContext } from './fault.ts';
import { tell } from './server-settings.ts';
import type { FaultNode } from './subjects.ts';

/** Clients stay held back that long: until the old primary is gone, or a replica. */
const PAUSE_MS = 3000;

/** @returns whether the heir had everything, and is the primary now. @throws SyncError what a server refuses. */
export async function handOver(context: FaultContext, old: FaultNode, heir: FaultNode): Promise<boolean> {
  const offset = await pauseClients(old);
  const caughtUp = await awaitEvidence(
    context,
    async () => {
      const { slave_repl_offset: reached = '-1' } = await infoOf(heir, 'replication');
      return BigInt(reached) >= offset ? true : null;
    },
    PAUSE_MS,
  );
  if (caughtUp === null) return false;
  await tell(heir, 'REPLICAOF', 'NO', 'ONE');
  return true;
}

/** The server does not know FAILOVER. */
export function lacksFailover(reply: unknown): boolean {
  return reply instanceof ReplyError && /unknown command/i.test(reply.message);
}

/** @returns the offset behind the last write. */
async function pauseClients(node: FaultNode): Promise<bigint> {
  await using connection = await openNode(node);
  const replies = await connection.pipeline([
    ['MULTI'],
    ['CLIENT', 'PAUSE', PAUSE_MS],
    ['INFO', 'replication'],
    ['EXEC'],
  ]);
  const results = replies.at(-1) ?? null;
  const info = Array.isArray(results) ? results[1] : undefined;
  const offset = Buffer.isBuffer(info) ? parseInfo(info)['master_repl_offset'] : undefined;
  if (offset === undefined)
    throw new SyncError('PERMISSION', `Clients cannot be held back: ${textOf(results)}`, {
      where: node.address,
    });
  return BigInt(offset);
}
