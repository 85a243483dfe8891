/**
 * The name of the replication history that a server writes. One before 4.0 has a history per run: its run id names it, in PSYNC
 * as here.
 */
import { parseInfo } from '../resp/reply-text.ts';
import type { Connection } from './connection.ts';

/** @param replication what INFO replication says. @throws SyncError CONNECT, PERMISSION, when it has to be asked. */
export async function historyName(
  connection: Connection,
  replication: Readonly<Record<string, string>>,
): Promise<string> {
  const { master_replid: replid } = replication;
  if (replid !== undefined) return replid;
  return parseInfo(await connection.call('INFO', 'server'))['run_id'] ?? '';
}
