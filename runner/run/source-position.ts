/** How far a source has come: what a link has to have applied when it is drained. */
import { Connection } from '../../engine/connect/connection.ts';
import { locateSoon } from '../../engine/connect/discover.ts';
import { historyName } from '../../engine/connect/history-name.ts';
import type { Whereabouts } from '../../engine/connect/discovery.ts';
import { SyncError } from '../../engine/errors.ts';
import { parseInfo } from '../../engine/resp/reply-text.ts';

/** The source's own offset now, and of which history. @throws SyncError CONNECT, PERMISSION, PROTOCOL. */
export async function readPosition(
  source: Whereabouts,
  signal?: AbortSignal,
): Promise<{ offset: bigint; replid?: string }> {
  await using connection = await Connection.open(await locateSoon(source, signal), { name: 'redis-sync' });
  const info = parseInfo(await connection.call('INFO', 'replication'));
  const { master_repl_offset: offset } = info;
  if (offset === undefined) {
    throw new SyncError('PROTOCOL', 'The source does not tell its replication offset.', {
      hint: 'INFO replication must be allowed.',
    });
  }
  const replid = await historyName(connection, info);
  return { offset: BigInt(offset), ...(replid === '' ? {} : { replid }) };
}
