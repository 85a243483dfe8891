/** Did a key of ours vanish because the target evicts whatever it likes? Asked only when one has vanished. */
import type { Connection } from '../connect/connection.ts';
import { parseInfo } from '../resp/reply-text.ts';

/**
 * True when the server evicts keys of any kind (allkeys-…), has evicted some, is a primary, and has been up for at least
 * `sinceMs`: then it is no restart and no flush that has to be assumed. False also when it does not tell.
 *
 * @throws SyncError CONNECT.
 */
export async function evictsAnything(connection: Connection, sinceMs: number): Promise<boolean> {
  const info = parseInfo(await connection.tryCall('INFO'));
  const number = (name: string): number => Number(info[name] ?? 0);
  return (
    (info['maxmemory_policy'] ?? '').startsWith('allkeys') &&
    number('evicted_keys') > 0 &&
    info['role'] === 'master' &&
    // It counts whole seconds.
    (number('uptime_in_seconds') + 1) * 1000 >= sinceMs
  );
}
