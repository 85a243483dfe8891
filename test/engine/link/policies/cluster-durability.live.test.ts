/** Replicas of the shards of a cluster target: when the source is told that a write is there, and what a failover loses. */
import { expect, it } from 'vitest';
import { Connection } from '../../../../engine/connect/connection.ts';
import { tagOfSlot } from '../../../../engine/keys/cluster-slot.ts';
import type { EngineOptions } from '../../../../engine/link/options.ts';
import { textOf } from '../../../../engine/resp/reply-text.ts';
import { TestCluster, type TestNode } from '../../../support/cluster.ts';
import { infoOf } from '../../../support/replication.ts';
import { startServer, type TestServer } from '../../../support/server.ts';
import { until } from '../../../support/until.ts';
import { LiveLink } from '../live-link.ts';

const ONE: Partial<EngineOptions> = { durability: { replicas: 1, timeoutMs: 300 }, heartbeatMs: 0 };
const FIRST = keyIn(0);
/** Of the second shard. */
const SECOND = keyIn(16_383);
/** Of the first shard, until it is moved. */
const MOVED = keyIn(1);

function keyIn(slot: number): string {
  return `counter:{${tagOfSlot(slot)}}`;
}

function primary(cluster: TestCluster, index: number): TestNode {
  const node = cluster.primaries[index];
  if (node === undefined) throw new Error(`no shard ${index}`);
  return node;
}

/** From now on its replica cannot follow, until `admit`. */
async function shutOut({ connection }: TestNode): Promise<void> {
  await connection.call('ACL', 'SETUSER', 'default', '-psync', '-sync');
  await connection.call('CLIENT', 'KILL', 'TYPE', 'replica');
}

/** Not by SYNC, which a replica tries when PSYNC was refused: one that comes so acknowledges nothing. */
async function admit({ connection }: TestNode): Promise<void> {
  await connection.call('ACL', 'SETUSER', 'default', '+psync');
}

async function acknowledged(source: TestServer): Promise<bigint> {
  const { slave0 = '' } = await infoOf(source.endpoint, 'replication');
  return BigInt(/offset=(\d+)/.exec(slave0)?.[1] ?? -1);
}

function durable(link: LiveLink): bigint {
  return BigInt(link.status.durableOffset ?? -1);
}

function shardsThatLag(link: LiveLink): unknown[] {
  return link.findings('LAG').map(({ evidence }) => evidence['shard']);
}

/** Everything that was applied is durable. */
async function settled(link: LiveLink, source: TestServer): Promise<bigint> {
  await link.drained(source.endpoint);
  await until(() => Promise.resolve(link.status.durableOffset === link.status.appliedOffset));
  return durable(link);
}

it('acknowledges what a replica of every shard has, of a shard that was added too, and says which one does not follow', async () => {
  await using cluster = await TestCluster.form(2, { replicas: true, idle: 1 });
  await using source = await startServer();
  await using client = await Connection.open(source.endpoint);
  await client.call('SET', FIRST, 0);
  const target = { kind: 'cluster', seeds: cluster.seeds } as const;
  await using link = await LiveLink.start(source.endpoint, target, ONE);
  await link.state('Synchronizing');
  await client.pipeline([FIRST, SECOND, MOVED].map((key) => ['INCR', key]));
  expect(await client.call('WAIT', 1, 10_000)).toBe(1);
  // Not only on the primaries: on the replicas that could take their place.
  for (const [index, key] of [FIRST, SECOND].entries()) {
    const replica = cluster.replicas[index]?.connection;
    await replica?.call('READONLY');
    expect(textOf(await replica?.call('GET', key))).toBe('1');
  }
  const before = await settled(link, source);
  const [first, second, added] = [primary(cluster, 0), primary(cluster, 1), primary(cluster, 2)];
  const lagged = link.findings('LAG').length;
  await shutOut(second);
  await client.pipeline([FIRST, SECOND].map((key) => ['INCR', key]));
  await link.drained(source.endpoint);
  await until(() => Promise.resolve(link.findings('LAG').length > lagged));
  expect(shardsThatLag(link).slice(lagged)).toEqual([`127.0.0.1:${second.server.port}`]);
  expect(durable(link)).toBe(before);
  await until(async () => (await acknowledged(source)) >= before);
  expect(await acknowledged(source)).toBe(before);
  await admit(second);
  expect(await settled(link, source)).toBeGreaterThan(before);
  // A shard that has no replica gets a slot: what is written there counts no more.
  await cluster.move([1], first, added);
  await client.call('INCR', MOVED);
  await link.drained(source.endpoint);
  await until(() => Promise.resolve(shardsThatLag(link).includes(`127.0.0.1:${added.server.port}`)));
  expect(durable(link)).toBeLessThan(BigInt(link.status.appliedOffset));
});

it('does not take for durable what a promoted replica lacks, and finds that out although nothing more is written there', async () => {
  await using cluster = await TestCluster.form(2, { replicas: true });
  await using source = await startServer({ 'repl-backlog-size': '16mb' });
  await using client = await Connection.open(source.endpoint);
  await client.call('SET', FIRST, 0);
  const target = { kind: 'cluster', seeds: cluster.seeds } as const;
  await using link = await LiveLink.start(source.endpoint, target, ONE);
  await link.state('Synchronizing');
  await client.pipeline([FIRST, SECOND].map((key) => ['INCR', key]));
  const kept = await settled(link, source);
  const second = primary(cluster, 1);
  await shutOut(second);
  await client.call('INCR', SECOND);
  await link.drained(source.endpoint);
  await second.connection.close();
  await second.server.stop();
  await cluster.replicas[1]?.connection.call('CLUSTER', 'FAILOVER', 'TAKEOVER');
  const found = await link.heard(
    (message) =>
      message.kind === 'finding' && message.code === 'NOT_DURABLE' && message.severity === 'warning',
  );
  expect(found).toMatchObject({ evidence: { slots: 1, durable: String(kept) } });
  await cluster.agrees();
  const isBack = async (): Promise<boolean> => textOf(await cluster.call(['GET', SECOND])) === '2';
  await until(isBack);
  expect(durable(link)).toBe(kept);
  await link.stop();
  expect(textOf(await cluster.call(['GET', FIRST]))).toBe('1');
});
