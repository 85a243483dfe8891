/** A shard of the source dies while the stream runs: its link goes on at the replica, where it was. */
import { expect, it } from 'vitest';
import { differences, TestCluster } from '../../../support/cluster.ts';
import { until } from '../../../support/until.ts';
import { ledger } from './ledger.ts';
import { ShardLinks } from './shard-links.ts';

it('continues at the replica of a source shard that died', async () => {
  await using source = await TestCluster.form(3, { replicas: true });
  await using target = await TestCluster.form(2);
  await source.pipeline(Array.from({ length: 1000 }, (_, index) => ['SET', `key:${index}`, index]));
  await using links = await ShardLinks.start(source, { kind: 'cluster', seeds: target.seeds });
  await links.synchronized();
  await write(source, 0, 30);
  await links.drained();
  const [first] = source.primaries;
  if (first === undefined) throw new Error('no primary');
  // What the replica has not got nobody can read.
  await first.connection.call('WAIT', 1, 5000);
  await first.connection.close();
  await first.server.stop();
  await until(async () => (await source.topology()).shards.every(({ primary }) => primary.id !== first.id));
  await source.agrees();
  await write(source, 30, 60);
  await links.drained();
  const syncs = links.messages.flatMap((message) => (message.kind === 'sync-started' ? [message.mode] : []));
  expect(syncs).toEqual(['full', 'full', 'full', 'partial']);
  await links.stop();
  expect(differences(await source.contents(), await target.contents())).toEqual([]);
}, 60_000);

async function write(source: TestCluster, from: number, to: number): Promise<void> {
  for (let round = from; round < to; round++)
    for (const words of ledger(round)) if (words.length > 1) await source.call(words);
}
