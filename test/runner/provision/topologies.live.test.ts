/** Clusters and Sentinel-watched sets: formed, found, and gone afterwards. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readTopology } from '../../../engine/connect/cluster-topology.ts';
import { Connection } from '../../../engine/connect/connection.ts';
import { discoveryOf, openWhere } from '../../../engine/connect/discover.ts';
import { parseInfo, textOf } from '../../../engine/resp/reply-text.ts';
import type { InstancePlan } from '../../../runner/plan/plan.ts';
import { isAlive } from '../../../runner/provision/process-identity.mjs';
import { ProcessLedger } from '../../../runner/provision/process-ledger.ts';
import type { ProvisionedInstance } from '../../../runner/provision/provisioner.ts';
import { provision } from '../../../runner/provision/registry.ts';
import { until } from '../../support/until.ts';
import { instancePlan } from './instance-plan.ts';

/** Provisions, lets the test look, stops; nothing may be left. */
async function withInstance(
  plan: Partial<InstancePlan>,
  look: (instance: ProvisionedInstance) => Promise<void>,
): Promise<void> {
  const runFolder = await mkdtemp(join(tmpdir(), 'redis-sync-provision-'));
  try {
    await using processes = await ProcessLedger.open(runFolder);
    await using instance = await provision(instancePlan(plan), { runFolder, processes });
    await look(instance);
    await instance.stop();
    expect(processes.records.filter((record) => isAlive(record)).map(({ what }) => what)).toEqual([]);
  } finally {
    await rm(runFolder, { recursive: true });
  }
}

test('a cluster: every node sees every slot served and every replica in its place', async () => {
  const plan = { name: 'c', kind: 'cluster', shards: 3, replicas: 1 } as const;
  await withInstance(plan, async (instance) => {
    expect(instance.nodes.map(({ name }) => name)).toEqual([
      'shard-0',
      'shard-1',
      'shard-2',
      'shard-0-replica-0',
      'shard-1-replica-0',
      'shard-2-replica-0',
    ]);
    for (const { endpoint } of instance.nodes) {
      await using connection = await Connection.open(endpoint);
      expect(parseInfo(await connection.call('CLUSTER', 'INFO'))).toMatchObject({
        cluster_state: 'ok',
        cluster_known_nodes: '6',
      });
      const { shards } = await readTopology(connection);
      expect(shards.map(({ slots, replicas }) => [slots, replicas.length])).toEqual([
        [[[0, 5460]], 1],
        [[[5461, 10_921]], 1],
        [[[10_922, 16_383]], 1],
      ]);
    }
  });
});

test('Sentinels: all of them know the primary, each other, and who may take over', async () => {
  const config = { requirepass: 'se cret"' };
  await withInstance({ name: 's', kind: 'sentinel', replicas: 1, sentinels: 3, config }, async (instance) => {
    expect(instance.attendants?.map(({ name, role }) => [name, role])).toEqual([
      ['sentinel-0', 'sentinel'],
      ['sentinel-1', 'sentinel'],
      ['sentinel-2', 'sentinel'],
    ]);
    const { whereabouts } = instance;
    if (whereabouts === undefined) throw new Error('Sentinels say where it is');
    expect(await discoveryOf(whereabouts).locate()).toMatchObject({ port: instance.primary().port });

    await instance.nodes[0]?.control?.kill();
    const heir = instance.nodes[1]?.endpoint.port;
    await until(async () => {
      try {
        return (await discoveryOf(whereabouts).locate()).port === heir;
      } catch {
        return false;
      }
    });
    await using connection = await openWhere(whereabouts);
    expect(textOf(await connection.call('SET', 'k', 'v'))).toBe('OK');
  });
});
