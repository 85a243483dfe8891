/** Faults that need more than a pair: slots that move in a cluster, keys that move between Codis groups, Sentinels that decide. */
import { expect, test } from 'vitest';
import { evidenceAbout, unreadReason } from '../../../reports/evidence.ts';
import { Workspace, type Verified } from './workspace.ts';

test('slots of a target cluster move, and a shard fails over, while clients write', async () => {
  const { results } = await rehearse({
    instances: { source: {}, target: { kind: 'cluster', shards: 2, replicas: 1 } },
    topology: { kind: 'one-way', source: 'source', target: 'target' },
    engine: { crossSlot: 'refetch' },
    timeline: [
      { id: 'move', fault: 'reshard', where: 'target', when: 'incremental', with: { slots: 40 } },
      { id: 'failover', fault: 'failover', where: 'target.shard(1)', after: 'move' },
    ],
  });
  expect(results.faults).toMatchObject([
    { step: 'move', outcome: 'effective', evidence: { slots: 40 } },
    { step: 'failover', outcome: 'effective', evidence: { method: 'command' } },
  ]);
  expect(results.comparison?.totals).toEqual(NO_DIFFERENCE);
});

test('slots move from one Codis group to the other while clients write', async () => {
  const group = { kind: 'codis-group' };
  const { results } = await rehearse({
    instances: { 'group-1': group, 'group-2': group, target: {} },
    topology: {
      kind: 'codis',
      groups: ['group-1', 'group-2'],
      target: 'target',
      slots: { 'group-1': ['0-511'], 'group-2': ['512-1023'] },
    },
    timeline: [
      {
        id: 'move',
        fault: 'codis-rebalance',
        where: 'group-1',
        when: 'incremental',
        with: { to: 'group-2' },
      },
    ],
  });
  expect(results.faults).toMatchObject([
    { step: 'move', outcome: 'effective', evidence: { from: 'group-1', to: 'group-2' } },
  ]);
});

test('a Codis group moves to another server: clients go on there, and so does whoever looks', async () => {
  const group = { kind: 'codis-group' };
  const { results, events } = await rehearse({
    instances: { 'group-1': group, 'group-2': group, target: {} },
    topology: {
      kind: 'codis',
      groups: ['group-1', 'group-2'],
      target: 'target',
      slots: { 'group-1': ['0-511'], 'group-2': ['512-1023'] },
    },
    timeline: [
      { id: 'move', fault: 'endpoint-move', where: 'group-1', when: 'incremental' },
      // Clients go on writing for a while, however long the move has taken.
      { id: 'meanwhile', fault: 'engine-pause', where: 'link:group-2', after: 'move', for: '1s' },
    ],
  });
  expect(results.faults).toMatchObject([
    { step: 'move', outcome: 'effective' },
    { step: 'meanwhile', outcome: 'effective' },
  ]);
  expect(results.verdict).toBe('pass');
  // Every second client writes to the group that has moved.
  expect(results.workload[0]?.reconnects).toBeGreaterThanOrEqual(2);
  const seen = evidenceAbout(events, 'server').filter(
    ({ instance, moment }) => instance === 'group-1' && moment === 'still-quiet',
  );
  expect(seen.map(({ node, numbers }) => [node, numbers['primary']])).toEqual([
    ['replica-0', 0],
    ['replica-1', 1],
  ]);
  expect(unreadReason(events, 'leftovers')).toBeNull();
});

test('Sentinels promote a replica of the source, and the link finds it', async () => {
  const { results } = await rehearse({
    instances: { source: { kind: 'sentinel', replicas: 1 }, target: {} },
    topology: { kind: 'one-way', source: 'source', target: 'target' },
    // Until the Sentinels look after the old primary, clients go on there, and what they write is lost.
    engine: { emptySource: 'follow' },
    timeline: [{ id: 'failover', fault: 'failover', where: 'source', when: 'incremental' }],
  });
  expect(results.faults).toMatchObject([{ step: 'failover', outcome: 'effective' }]);
  expect(results.comparison?.totals).toEqual(NO_DIFFERENCE);
});

const NO_DIFFERENCE = {
  MISSING_KEY: 0,
  EXTRA_KEY: 0,
  TYPE_MISMATCH: 0,
  VALUE_MISMATCH: 0,
  TTL_MISMATCH: 0,
};

async function rehearse(spec: object): Promise<Verified> {
  await using workspace = await Workspace.open();
  return await workspace.verify({
    name: 'topologies',
    seed: 6,
    data: [{ keys: 400 }],
    workload: [{ rate: '200/s', databases: [0], mix: { set: 3, incr: 1, rpush: 1, del: 1 } }],
    incremental: '2s',
    report: { formats: ['json'] },
    ...spec,
  });
}
