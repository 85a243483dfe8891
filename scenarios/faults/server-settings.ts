/** CONFIG SET that can be taken back, and the questions faults ask a server. */
import { readTopology } from '../../engine/connect/cluster-topology.ts';
import type { Connection } from '../../engine/connect/connection.ts';
import { SyncError } from '../../engine/errors.ts';
import { tagOfSlot } from '../../engine/keys/cluster-slot.ts';
import { ReplyError, type Reply } from '../../engine/resp/reply.ts';
import { parseInfo, textOf } from '../../engine/resp/reply-text.ts';
import { openNode } from './aim.ts';
import type { FaultWork } from './define-fault.ts';
import { awaitEvidence } from './evidence.ts';
import type { FaultNode } from './subjects.ts';

/** Kept out of every comparison and count, like all keys of ours. */
export const PROBE_KEY = 'redis-sync:fault-probe';

/**
 * Sets directives and registers setting them back.
 *
 * @returns what they were before. @throws SyncError when the server refuses one.
 */
export async function changeSettings(
  work: FaultWork,
  node: FaultNode,
  wanted: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  await using connection = await openNode(node);
  const before: Record<string, string> = {};
  for (const name of Object.keys(wanted)) {
    const reply = await connection.call('CONFIG', 'GET', name);
    before[name] = (Array.isArray(reply) && textOf(reply[1])) || '';
  }
  work.onHeal(() => setAll(node, before));
  for (const [name, value] of Object.entries(wanted)) await connection.call('CONFIG', 'SET', name, value);
  return before;
}

async function setAll(node: FaultNode, values: Readonly<Record<string, string>>): Promise<void> {
  await using connection = await openNode(node);
  for (const [name, value] of Object.entries(values)) await connection.call('CONFIG', 'SET', name, value);
}

/** The reply to one command over a connection of its own; an error reply is returned. */
export async function ask(node: FaultNode, ...command: string[]): Promise<Reply> {
  await using connection = await openNode(node);
  return await connection.tryCall(...command);
}

/** The same; an error reply is thrown. */
export async function tell(node: FaultNode, ...command: string[]): Promise<Reply> {
  await using connection = await openNode(node);
  return await connection.call(...command);
}

/** A save was refused because of one that is still going on. */
export function isBehindAnother(reply: Reply): boolean {
  return reply instanceof ReplyError && reply.message.includes('in progress');
}

/** Saves the data now, after whatever is being saved already. @throws SyncError when it cannot. */
export async function saveNow(work: FaultWork, node: FaultNode): Promise<void> {
  const saved = await awaitEvidence(work.context, async () => {
    const reply = await ask(node, 'SAVE');
    return isBehindAnother(reply) ? null : reply;
  });
  if (saved === null || saved instanceof ReplyError)
    throw new SyncError('PERMISSION', `The server cannot save: ${textOf(saved)}`, { where: node.address });
}

/** The key itself; on a node of a cluster with a tag that puts it into one of the node's own slots. */
export async function ownKey(connection: Connection, key: string): Promise<string> {
  const { cluster_enabled: isCluster } = parseInfo(await connection.tryCall('INFO', 'cluster'));
  if (isCluster !== '1') return key;
  const { shards, self } = await readTopology(connection);
  const slot = shards.find(({ primary }) => primary.id === self)?.slots[0]?.[0];
  return slot === undefined ? key : `${key}{${tagOfSlot(slot)}}`;
}

/** The text of the error that a write gets now, or null when it succeeds. */
export async function refusal(node: FaultNode): Promise<string | null> {
  await using connection = await openNode(node, 2000);
  const key = await ownKey(connection, PROBE_KEY);
  const reply = await connection.tryCall('SET', key, 'x', 'PX', '1000');
  return reply instanceof ReplyError ? reply.message : null;
}
