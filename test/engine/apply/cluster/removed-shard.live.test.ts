/** A source shard gives all its slots away and is gone: its link ends, and those of the others have everything, once. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { differences, TestCluster, type TestNode } from '../../../support/cluster.ts';
import { until } from '../../../support/until.ts';
import { ShardLinks } from './shard-links.ts';

const KEYS = 600;

let target: TestCluster;

beforeAll(async () => {
  target = await TestCluster.form(2);
});

afterAll(async () => {
  await target[Symbol.asyncDispose]();
});

/** What becomes of the node: by default it makes itself a replica of the new owner. */
const ENDS: { name: string; config: Record<string, string>; end: typeof switchOff }[] = [
  { name: 'became a replica of another one', config: {}, end: () => Promise.resolve() },
  { name: 'was removed', config: { 'cluster-allow-replica-migration': 'no' }, end: switchOff },
];

async function switchOff(cluster: TestCluster, node: TestNode): Promise<void> {
  for (const { connection } of cluster.primaries.filter((other) => other !== node))
    await connection.call('CLUSTER', 'FORGET', node.id);
  await node.connection.close();
  await node.server.stop();
}

describe('a source shard without slots', () => {
  for (const { name, config, end } of ENDS)
    it(`has its link end when it ${name}, and nothing is applied twice`, async () => {
      await using source = await TestCluster.form(3, { config });
      await target.clear();
      await source.pipeline(Array.from({ length: KEYS }, (_, index) => ['SET', `key:${index}`, 1]));
      await using links = await ShardLinks.start(source, { kind: 'cluster', seeds: target.seeds });
      await links.synchronized();
      const [first, , third] = source.primaries;
      if (first === undefined || third === undefined) throw new Error('no primaries');
      const { owners, shards } = await source.topology();
      const its = [...owners.keys()].filter((slot) => shards[owners[slot] ?? -1]?.primary.id === third.id);
      await source.move(its, third, first, 500);
      await source.agrees();
      await end(source, third);
      await source.pipeline(Array.from({ length: KEYS }, (_, index) => ['INCR', `key:${index}`]));
      await until(() => Promise.resolve(links.statuses[2]?.state === 'Finished'));
      await links.drained();
      await links.stop();
      expect(links.statuses.map(({ fullResyncs }) => fullResyncs)).toEqual([1, 1, 1]);
      expect(links.statuses.map(({ errors }) => errors)).toEqual([{}, {}, {}]);
      const gone = links.findings('TOPOLOGY_CHANGED').filter(({ evidence }) => evidence['shard'] === 'gone');
      expect(gone).toMatchObject([{ link: 'shard-2', severity: 'notice' }]);
      expect(differences(await source.contents(), await target.contents())).toEqual([]);
    });
});
