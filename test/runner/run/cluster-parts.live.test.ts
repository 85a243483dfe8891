/** The keys of a cluster, shared by its shards: who fills and writes what, also when slots move. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clusterSlot, tagOfSlot } from '../../../engine/keys/cluster-slot.ts';
import { clusterPartsOf } from '../../../runner/run/cluster-parts.ts';
import { shareOf, shareOfPart } from '../../../runner/run/key-shares.ts';
import { workloadPlacesOf } from '../../../runner/run/workload-places.ts';
import { startWorkload } from '../../../scenarios/workload/workload-start.ts';
import { TestCluster } from '../../support/cluster.ts';
import { until } from '../../support/until.ts';

const PREFIX = 'app:';

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.form(2);
});

afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
});

function instance(): Parameters<typeof clusterPartsOf>[0] {
  const [first] = cluster.seeds;
  if (first === undefined) throw new Error('no primary');
  return { name: 'c', whereabouts: { kind: 'cluster', seeds: cluster.seeds }, primary: () => first };
}

describe('the shards of a cluster', () => {
  it('share what the cluster has of a dataset that others have a part of', async () => {
    const parts = await clusterPartsOf(instance(), AbortSignal.timeout(5000));
    if (parts === undefined) throw new Error('no cluster');
    const into = ['single', 'c'];
    const single = shareOf('single', into, undefined).share;
    const shards = parts.parts.map(({ name }) =>
      shareOfPart(name, parts, shareOf('c', into, undefined).share),
    );
    const keys = Array.from({ length: 4000 }, (_, index) => Buffer.from(`key:${index}`));
    const counts = [single, ...shards].map(
      (share) => keys.filter((key) => share?.placement(key) === share?.instance).length,
    );
    expect(counts.reduce((sum, each) => sum + each)).toBe(keys.length);
    expect(Math.min(...counts)).toBeGreaterThan(700);
    // All of them come to the same names.
    for (const share of shards) for (const key of keys) expect(share.among).toContain(share.placement(key));
  });

  it('are found through any node of the cluster, though one was named', async () => {
    const [seed] = cluster.seeds;
    if (seed === undefined) throw new Error('no primary');
    const known = { ...instance(), whereabouts: { kind: 'cluster' as const, seeds: [seed] } };
    const parts = await clusterPartsOf(known, AbortSignal.timeout(5000));
    const ports = parts?.parts.map(({ whereabouts }) => new Set(whereabouts.seeds.map(({ port }) => port)));
    const all = new Set(cluster.seeds.map(({ port }) => port));
    expect(ports).toEqual([all, all]);
  });

  it('have clients that write where the slots are after they have moved', async () => {
    const places = await workloadPlacesOf([instance()], AbortSignal.timeout(60_000));
    const plan = {
      name: 'app',
      into: [],
      databases: [0],
      ratePerSecond: 2000,
      clients: 4,
      start: 'incremental' as const,
      mix: { string: 1, multi: 1 },
      keyspace: 10_000,
      prefix: PREFIX,
    };
    await using workload = await startWorkload(places, plan, { seed: 5 });
    const written = async (count: number): Promise<void> => {
      const { ok } = workload.stats();
      await until(() => workload.stats().ok > ok + count);
    };
    await written(500);
    const [first, second] = cluster.primaries;
    if (first === undefined || second === undefined) throw new Error('no primaries');
    // All of them: the clients of the first shard have nowhere to write until some come back.
    const its = [...Array(8192).keys()];
    await cluster.move(its, first, second, 500);
    await cluster.agrees();
    await until(async () => {
      const { failed } = workload.stats();
      await written(300);
      return workload.stats().failed === failed;
    });
    expect(places.map(({ part }) => part?.tags.length)).toEqual([0, 64]);
    const returned = tagOfSlot(100);
    expect(clusterSlot(Buffer.from(returned))).toBe(100);
    expect(places[1]?.part?.placement(Buffer.from(returned))).toBe('c shard 1');
  });
});
