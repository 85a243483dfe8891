/** The reference: a plain redis-server as replica of the same source. */
import type { Connection } from '../../engine/connect/connection.ts';
import { parseInfo } from '../../engine/resp/reply-text.ts';
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import { until } from './stopwatch.ts';

export async function replicaOf(connection: Connection, source: Endpoint): Promise<void> {
  await connection.call('REPLICAOF', source.host, source.port);
}

/** The replica has loaded the snapshot and follows the stream. */
export async function linkUp(connection: Connection): Promise<void> {
  await until(
    'link up',
    async () => parseInfo(await connection.call('INFO', 'replication'))['master_link_status'] === 'up',
  );
}

export async function primaryOffset(connection: Connection): Promise<bigint> {
  return readOffset(connection, 'master_repl_offset');
}

export async function replicaReached(connection: Connection, offset: bigint): Promise<void> {
  await until('replica caught up', async () => (await readOffset(connection, 'slave_repl_offset')) >= offset);
}

async function readOffset(connection: Connection, field: string): Promise<bigint> {
  return BigInt(parseInfo(await connection.call('INFO', 'replication'))[field] ?? '0');
}
