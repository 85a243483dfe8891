/** A primary and its replicas, and what a test does to them. */
import { Connection } from '../../engine/connect/connection.ts';
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import type { Reply } from '../../engine/resp/reply.ts';
import { parseInfo } from '../../engine/resp/reply-text.ts';
import { startServer, type TestServer } from './server.ts';
import { until } from './until.ts';

/** Fields of a section of INFO. */
export async function infoOf(endpoint: Endpoint, section: string): Promise<Record<string, string>> {
  await using connection = await Connection.open(endpoint);
  return parseInfo(await connection.call('INFO', section));
}

/** One command on a connection of its own. */
export async function command(endpoint: Endpoint, ...words: (string | number)[]): Promise<Reply> {
  await using connection = await Connection.open(endpoint);
  return await connection.call(...words);
}

/** A replica of `primary`; resolves when it is in sync, and its primary knows it (only then FAILOVER and WAIT count on it). */
export async function startReplica(
  primary: Endpoint,
  config: Record<string, string> = {},
): Promise<TestServer> {
  const replica = await startServer({ replicaof: `${primary.host} ${primary.port}`, ...config });
  await until(async () => (await infoOf(replica.endpoint, 'replication'))['master_link_status'] === 'up');
  const online = new RegExp(`^ip=[^,]*,port=${replica.port},state=online`);
  await until(async () =>
    Object.values(await infoOf(primary, 'replication')).some((value) => online.test(value)),
  );
  return replica;
}

/** Resolves when the replica has every byte the primary has written by now. */
export async function caughtUp(primary: Endpoint, replica: Endpoint): Promise<void> {
  const wanted = Number((await infoOf(primary, 'replication'))['master_repl_offset']);
  await until(
    async () => Number((await infoOf(replica, 'replication'))['slave_repl_offset'] ?? -1) >= wanted,
  );
}

/** Makes the replica a primary: it keeps its history under a new name. */
export async function promote(replica: Endpoint): Promise<void> {
  await command(replica, 'REPLICAOF', 'NO', 'ONE');
}

/** Full and partial resynchronisations that the server has granted. */
export async function syncsOf(endpoint: Endpoint): Promise<{ full: number; partial: number }> {
  const stats = await infoOf(endpoint, 'stats');
  return { full: Number(stats['sync_full']), partial: Number(stats['sync_partial_ok']) };
}
