/** A source that comes back with hardly any key, before a target that is a cluster: that is not replicated. */
import { expect, it } from 'vitest';
import { Connection } from '../../../engine/connect/connection.ts';
import { countTargetKeys } from '../../../engine/link/target-keys.ts';
import { TestCluster } from '../../support/cluster.ts';
import { startServer } from '../../support/server.ts';
import { LINK, LiveLink } from './live-link.ts';

it('counts what the link has on a cluster, without its own checkpoints', async () => {
  await using cluster = await TestCluster.form(3);
  await using source = await startServer();
  await using client = await Connection.open(source.endpoint);
  await client.pipeline(Array.from({ length: 300 }, (_, index) => ['SET', `key:${index}`, index]));
  const target = { kind: 'cluster' as const, seeds: cluster.seeds };
  await using link = await LiveLink.start(source.endpoint, target);
  await link.state('Synchronizing');
  await client.call('SET', 'last', '1');
  await link.drained(source.endpoint);
  const signal = new AbortController().signal;
  const asked = [{ link: LINK, target }];
  expect(await countTargetKeys(asked, signal, source.endpoint)).toBe(301);
  const shard = { kind: 'cluster-shard' as const, seeds: cluster.seeds, members: [] };
  expect(await countTargetKeys(asked, signal, shard)).toBeNull();
});
