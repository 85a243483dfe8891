/** Rehearsals of several links, each with real servers: what passes, and what must not. */
import { describe, expect, test } from 'vitest';
import { Workspace, type Verified } from './workspace.ts';

const WORKLOAD = [{ rate: '300/s', clients: 2, mix: { set: 2, hset: 1, rpush: 1, del: 1 } }];
const DATA = [
  { database: 0, keys: 600, corners: true },
  { database: 11, keys: 100 },
];

function rehearse(spec: Record<string, unknown>): Promise<Verified> {
  return withWorkspace((workspace) =>
    workspace.verify({ name: 'x', data: DATA, workload: WORKLOAD, incremental: '500ms', ...spec }),
  );
}

async function withWorkspace<Result>(work: (workspace: Workspace) => Promise<Result>): Promise<Result> {
  await using workspace = await Workspace.open();
  return await work(workspace);
}

const script = (where: string, ...commands: string[]): object => ({
  fault: 'script',
  where,
  when: 'incremental',
  with: { commands },
});

test('a cascade: each hop, and the end with the beginning', async () => {
  const { results, events } = await rehearse({
    instances: { a: {}, b: {}, c: {} },
    topology: { kind: 'cascade', chain: ['a', 'b', 'c'] },
  });
  expect(results.verdict).toBe('pass');
  expect(results.comparison?.parts?.map(({ id, kind }) => [id, kind])).toEqual([
    ['a-to-b', 'link'],
    ['b-to-c', 'link'],
    ['a-to-c', 'end-to-end'],
  ]);
  const synchronizing = events.findIndex(
    (event) => event.kind === 'link-state' && event.link === 'a-to-b' && event.to === 'Synchronizing',
  );
  const second = events.findIndex((event) => event.kind === 'sync-started' && event.link === 'b-to-c');
  expect(synchronizing).toBeGreaterThan(-1);
  expect(second).toBeGreaterThan(synchronizing);
  const rows = results.comparison?.counts.map(({ link, database }) => `${link} ${database}`);
  expect(rows).toEqual(['a-to-b 0', 'a-to-b 11', 'b-to-c 0', 'b-to-c 11', 'a-to-c 0', 'a-to-c 11']);
});

test('a cascade whose end somebody writes to: the hop and the whole way say so', async () => {
  const { results } = await rehearse({
    instances: { a: {}, b: {}, c: {} },
    topology: { kind: 'cascade', chain: ['a', 'b', 'c'] },
    // The last hop begins behind the first one, and may find it.
    engine: { existing: 'merge' },
    timeline: [script('c', 'SET stranger 1')],
  });
  expect(results.verdict).toBe('fail');
  expect(results.comparison?.differences).toMatchObject([
    { link: 'b-to-c', class: 'EXTRA_KEY', key: '"stranger"' },
    { link: 'a-to-c', class: 'EXTRA_KEY', key: '"stranger"' },
  ]);
});

describe('several sources, one target', () => {
  const many = {
    instances: { a: {}, b: {}, c: {} },
    topology: { kind: 'many-to-one', sources: ['a', 'b'], target: 'c' },
  };

  test('share the keys, and are compared with it together', async () => {
    const { results } = await rehearse(many);
    expect(results.verdict).toBe('pass');
    const [part] = results.comparison?.parts ?? [];
    expect(part).toMatchObject({ id: 'all-to-c', kind: 'union', sources: ['a', 'b'], target: 'c' });
    for (const { database, sourceKeys, targetKeys } of results.comparison?.counts ?? []) {
      const shares = part?.shares?.filter((share) => share.database === database) ?? [];
      expect(shares.map(({ link }) => link)).toEqual(['a-to-c', 'b-to-c']);
      expect(shares.reduce((sum, { keys }) => sum + keys, 0)).toBe(sourceKeys);
      expect(targetKeys).toBe(sourceKeys);
    }
    expect(results.precheck).toContainEqual(
      expect.objectContaining({ id: 'topology.ownership', verdict: 'WARN' }),
    );
  });

  test('a key that is in two of them is a finding with its owners', async () => {
    const { results } = await rehearse({
      ...many,
      timeline: [script('a', 'SET both 1'), script('b', 'SET both 2')],
    });
    expect(results.verdict).toBe('fail');
    expect(results.findings).toContainEqual(
      expect.objectContaining({
        code: 'KEY_OVERLAP',
        count: 1,
        evidence: expect.objectContaining({ keys: [{ database: 0, key: 'both', owners: ['a', 'b'] }] }),
      }),
    );
  });

  test('so is one that its source does not own', async () => {
    const { results } = await rehearse({
      instances: many.instances,
      topology: { ...many.topology, ownership: { a: ['a:*'], b: ['b:*'] } },
      data: [
        { into: 'a', prefix: 'a:', keys: 100 },
        { into: 'b', prefix: 'b:', keys: 100 },
      ],
      workload: [],
      timeline: [script('a', 'SET b:stray 1')],
    });
    expect(results.findings).toContainEqual(
      expect.objectContaining({
        code: 'KEY_NOT_OWNED',
        evidence: expect.objectContaining({ keys: [{ database: 0, key: 'b:stray', owners: ['a'] }] }),
      }),
    );
    expect(results.verdict).toBe('fail');
  });
});

/** To the replica by name: without one, the server might choose redis-sync, which is a replica in its eyes. */
const FAILOVER_OF_GROUP_1 = {
  fault: 'script',
  when: 'incremental',
  with: {
    run: [
      'from="redis-cli -u $REDIS_SYNC_GROUP_1_PRIMARY_URL"',
      '$from FAILOVER TO $REDIS_SYNC_GROUP_1_REPLICA_0_HOST $REDIS_SYNC_GROUP_1_REPLICA_0_PORT',
    ].join('; '),
  },
};

const codis = (more: object): Record<string, unknown> => ({
  instances: { 'group-1': { replicas: 1, kind: 'codis-group' }, 'group-2': {}, target: {} },
  topology: { kind: 'codis', groups: ['group-1', 'group-2'], target: 'target', databases: [0, 1], ...more },
  data: [
    { database: 0, keys: 400, corners: true },
    { database: 1, keys: 100 },
  ],
  workload: [
    { rate: '300/s', clients: 2, client: 'codis-proxy', mix: { set: 2, hset: 1, rpush: 1, del: 1 } },
  ],
});

describe('groups of a Codis cluster', () => {
  test('one after the other: what the first one brought does not count; a failover is followed', async () => {
    const { results } = await rehearse({
      ...codis({ start: 'in-turn' }),
      timeline: [FAILOVER_OF_GROUP_1],
      incremental: '2s',
    });
    expect(results.verdict).toBe('pass');
    expect(results.precheck).toContainEqual(
      expect.objectContaining({
        id: 'destination.empty',
        subject: expect.stringContaining('when group-2 starts'),
        verdict: 'PASS',
        measured: expect.stringContaining('every key belongs to what group-1 brought'),
      }),
    );
    expect(results.findings).toContainEqual(
      expect.objectContaining({ code: 'ENDPOINT_CHANGED', subject: { link: 'group-1' } }),
    );
    expect(
      results.comparison?.parts?.[0]?.shares?.map(({ link, database }) => `${link} ${database}`),
    ).toEqual(['group-1 0', 'group-1 1', 'group-2 0', 'group-2 1']);
  });

  test('checked literally, the second one cannot start', async () => {
    const { results, exitCode } = await rehearse(codis({ start: 'in-turn', emptyCheck: 'literal' }));
    expect(results.error).toMatchObject({ code: 'PRECHECK', hint: expect.stringContaining('group-aware') });
    expect(results.verdict).not.toBe('pass');
    expect(exitCode).not.toBe(0);
  });
});

test('a cluster into a cluster: its shards are one link, and keys are compared as a whole', async () => {
  const { results, exitCode } = await rehearse({
    instances: { a: { kind: 'cluster', shards: 2 }, b: { kind: 'cluster', shards: 3 } },
    topology: { kind: 'one-way', source: 'a', target: 'b' },
    data: [{ keys: 400, corners: true }],
    expect: [{ finding: 'FULL_RESYNC', link: 'a-to-b', count: 0 }],
  });
  expect([results.verdict, exitCode]).toEqual(['pass', 0]);
  expect(results.links.map(({ link, state }) => [link, state])).toEqual([['a-to-b', 'Finished']]);
  expect(results.links[0]?.fullSync?.keys).toBeGreaterThanOrEqual(400);
  expect(results.comparison?.counts).toMatchObject([{ link: 'a-to-b', database: 0 }]);
});
