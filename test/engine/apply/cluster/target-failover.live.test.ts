/** A shard of the target dies while the stream runs; its replica was behind. */
import { expect, it } from 'vitest';
import { Connection } from '../../../../engine/connect/connection.ts';
import { textOf } from '../../../../engine/resp/reply-text.ts';
import { contentsOf, differences, TestCluster } from '../../../support/cluster.ts';
import { startServer } from '../../../support/server.ts';
import { LiveLink } from '../../link/live-link.ts';
import { ledger, writeUntil } from './ledger.ts';

it('goes on at the replica of a shard that died, and brings back what the replica had not got', async () => {
  await using cluster = await TestCluster.form(3, { replicas: true });
  await using source = await startServer({ 'repl-backlog-size': '100mb' });
  await using client = await Connection.open(source.endpoint);
  await client.pipeline(Array.from({ length: 500 }, (_, index) => ['SET', `key:${index}`, index]));
  await using link = await LiveLink.start(source.endpoint, { kind: 'cluster', seeds: cluster.seeds });
  await link.state('Synchronizing');
  await client.pipeline(Array.from({ length: 200 }, (_, round) => ledger(round)).flat());
  await link.drained(source.endpoint);
  const [first] = cluster.primaries;
  if (first === undefined) throw new Error('no primary');
  // From now on its replica cannot follow.
  await first.connection.call('CONFIG', 'SET', 'requirepass', 'secret');
  await first.connection.call('CLIENT', 'KILL', 'TYPE', 'replica');
  await client.pipeline(Array.from({ length: 200 }, (_, round) => ledger(round + 200)).flat());
  await link.drained(source.endpoint);
  const writing = new AbortController();
  const rounds = writeUntil(source.endpoint, writing.signal);
  await first.connection.close();
  await first.server.stop();
  await link.heard((message) => message.kind === 'finding' && message.code === 'NOT_DURABLE');
  await link.heard(
    (message) =>
      message.kind === 'link-state' && message.from === 'Retrying' && message.to === 'Synchronizing',
  );
  writing.abort();
  await rounds;
  await link.drained(source.endpoint);
  expect(link.status.errors).toEqual({});
  expect(link.said('sync-started').map(({ mode }) => mode)).toEqual(['full']);
  await link.stop();
  const [replica] = cluster.replicas;
  expect(textOf(await replica?.connection.call('ROLE')).startsWith('master')).toBe(true);
  expect(differences(await contentsOf(client), await cluster.contents())).toEqual([]);
});

it('follows a shard that hands over to its replica, though the old primary stays and keeps its connections', async () => {
  await using cluster = await TestCluster.form(3, { replicas: true });
  await using source = await startServer();
  await using client = await Connection.open(source.endpoint);
  await using link = await LiveLink.start(source.endpoint, { kind: 'cluster', seeds: cluster.seeds });
  await link.state('Synchronizing');
  await client.pipeline(Array.from({ length: 100 }, (_, round) => ledger(round)).flat());
  await link.drained(source.endpoint);
  const [replica] = cluster.replicas;
  await replica?.connection.call('CLUSTER', 'FAILOVER');
  const isOver = async (): Promise<boolean> =>
    textOf(await replica?.connection.call('ROLE')).startsWith('master');
  await expect.poll(isOver, { timeout: 10_000 }).toBe(true);
  await client.pipeline(Array.from({ length: 100 }, (_, round) => ledger(round + 100)).flat());
  await link.drained(source.endpoint);
  await link.stop();
  expect(differences(await contentsOf(client), await cluster.contents())).toEqual([]);
});
