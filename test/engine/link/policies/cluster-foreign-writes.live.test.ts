/** Writes of others to a cluster target: seen in the stream of each shard, told from ours and from slots that move. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { Connection } from '../../../../engine/connect/connection.ts';
import { tagOfSlot } from '../../../../engine/keys/cluster-slot.ts';
import type { EngineOptions } from '../../../../engine/link/options.ts';
import { textOf } from '../../../../engine/resp/reply-text.ts';
import { TestCluster, type TestNode } from '../../../support/cluster.ts';
import { infoOf } from '../../../support/replication.ts';
import { startServer, type TestServer } from '../../../support/server.ts';
import { until } from '../../../support/until.ts';
import { ledger } from '../../apply/cluster/ledger.ts';
import { ShardLinks } from '../../apply/cluster/shard-links.ts';
import { LiveLink } from '../live-link.ts';

const LISTENING: Partial<EngineOptions> = { foreignWrites: 'report', watchMs: 100 };

let cluster: TestCluster;
let source: TestServer;
let client: Connection;

beforeAll(async () => {
  [cluster, source] = await Promise.all([
    // A shard without slots stays one.
    TestCluster.form(2, { idle: 1, config: { 'cluster-allow-replica-migration': 'no' } }),
    startServer({ 'repl-backlog-size': '16384' }),
  ]);
  client = await Connection.open(source.endpoint);
});

afterAll(async () => {
  await client.close();
  await source[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

beforeEach(async () => {
  await client.call('FLUSHALL');
  await cluster.clear();
});

function shard(index: number): TestNode {
  const node = cluster.primaries[index];
  if (node === undefined) throw new Error(`no shard ${index}`);
  return node;
}

/** In one of the first twenty slots. */
function own(round: number): string {
  return `other:{${tagOfSlot(round % 20)}}${round}`;
}

/** By somebody who is no replica. */
async function isListening({ server }: TestNode): Promise<boolean> {
  const info = await infoOf(server.endpoint, 'replication');
  return /ip=127.0.0.1,port=0,state=online/.test(Object.values(info).join(' '));
}

/** A link in sync whose shards are all listened to. */
async function listened(engine: Partial<EngineOptions> = {}): Promise<LiveLink> {
  const target = { kind: 'cluster', seeds: cluster.seeds } as const;
  const link = await LiveLink.start(source.endpoint, target, { ...LISTENING, ...engine });
  await link.state('Synchronizing');
  for (const node of [shard(0), shard(1)]) await until(() => isListening(node));
  return link;
}

/** Everything the link has to say, once everything the shards did was heard. */
async function told(link: LiveLink): Promise<unknown[]> {
  await link.stop();
  return link.findings('FOREIGN_WRITE').map(({ message, evidence }) => ({ message, ...evidence }));
}

it('nothing of a link is foreign: its stream, deadlines, flushes, functions, keys read again, a second full sync, slots that move', async () => {
  await client.pipeline(
    Array.from({ length: 300 }, (_, index) => ['SET', `k${index}`, 'v', 'PX', 2000 + index]),
  );
  await using link = await listened({ flush: 'propagate', crossSlot: 'refetch' });
  await client.pipeline(Array.from({ length: 200 }, (_, round) => ledger(round)).flat());
  await client.pipeline(Array.from({ length: 300 }, (_, index) => ['EXPIRE', `k${index}`, 5]));
  await client.call(
    'FUNCTION',
    'LOAD',
    '#!lua name=own\nredis.register_function("own", function() return 1 end)',
  );
  await client.pipeline([
    ['SET', 'old', 1],
    ['RENAME', 'old', 'new'],
  ]);
  await link.drained(source.endpoint);
  // To a shard that is new, and back, while clients write to these slots.
  const slots = Array.from({ length: 40 }, (_, slot) => slot);
  await Promise.all([
    cluster.move(slots, shard(0), shard(2), 10),
    client.pipeline(Array.from({ length: 200 }, (_, round) => ledger(round + 200)).flat()),
  ]);
  await until(() => isListening(shard(2)));
  await cluster.move(slots, shard(2), shard(0), 10);
  await link.drained(source.endpoint);
  const syncs = link.said('sync-finished').length;
  await client.pipeline([
    ['MULTI'],
    ['CLIENT', 'KILL', 'TYPE', 'replica'],
    ...Array.from({ length: 100 }, (_, index) => ['DEL', `string:k${index}`]),
    ...Array.from({ length: 40 }, (_, index) => ['SET', `noise:${index}`, 'n'.repeat(1000)]),
    ['EXEC'],
  ]);
  await until(() => Promise.resolve(link.said('sync-finished').length > syncs));
  await client.call('FLUSHALL');
  await link.drained(source.endpoint);
  expect(await told(link)).toEqual([]);
  expect(link.status.handled?.['keys refetched']).toBeGreaterThan(0);
  expect(link.findings('OUT_OF_SCOPE')).toEqual([]);
});

it('nothing of the links of another source is: their full sync, their streams, and slots that move between their shards', async () => {
  await using others = await TestCluster.form(2);
  await others.pipeline(Array.from({ length: 300 }, (_, index) => ['SET', `other:${index}`, index]));
  await using link = await listened();
  await using links = await ShardLinks.start(others, { kind: 'cluster', seeds: cluster.seeds }, LISTENING);
  await links.synchronized();
  const [from, to] = others.primaries;
  if (from === undefined || to === undefined) throw new Error('no shards');
  await others.pipeline(Array.from({ length: 300 }, (_, round) => ['SET', own(round), round]));
  await client.pipeline(Array.from({ length: 50 }, (_, round) => ledger(round)).flat());
  await others.move(
    Array.from({ length: 20 }, (_, slot) => slot),
    from,
    to,
    5,
  );
  await others.agrees();
  await others.pipeline(Array.from({ length: 300 }, (_, round) => ['APPEND', own(round), 'x']));
  await links.drained();
  await link.drained(source.endpoint);
  await links.stop();
  expect(await told(link)).toEqual([]);
  expect(links.findings('FOREIGN_WRITE')).toEqual([]);
});

it('names what somebody else writes and deletes, on which shard, and on one that is new', async () => {
  const [here, there, moved] = [tagOfSlot(3000), tagOfSlot(16_000), tagOfSlot(3)];
  await client.pipeline([
    ['MSET', `a{${there}}`, 1, `b{${there}}`, 2],
    ['SET', `c{${here}}`, 3],
  ]);
  await using link = await listened();
  await cluster.call(['SET', `mine{${here}}`, 'x']);
  await cluster.call(['DEL', `c{${here}}`]);
  await cluster.call(['DEL', `a{${there}}`, `b{${there}}`]);
  await cluster.move([1, 2, 3], shard(0), shard(2));
  await client.call('SET', `d{${moved}}`, 4);
  await until(() => isListening(shard(2)));
  await cluster.call(['INCR', `new{${moved}}`]);
  await link.drained(source.endpoint);
  const found = await told(link);
  const at = (index: number): string => `127.0.0.1:${shard(index).server.port}`;
  const last = (index: number): unknown => found.findLast((each) => JSON.stringify(each).includes(at(index)));
  expect(last(0)).toMatchObject({
    message: `Somebody other than the link writes to shard ${shard(0).id.slice(0, 8)} of the target.`,
    count: 2,
    shard: at(0),
    samples: [
      { command: 'SET', key: `"mine{${here}}"`, database: 0 },
      { command: 'DEL', key: `"c{${here}}"` },
    ],
  });
  expect(last(1)).toMatchObject({ count: 1, samples: [{ command: 'DEL', key: `"a{${there}}"` }] });
  expect(last(2)).toMatchObject({ count: 1, samples: [{ command: 'INCR', key: `"new{${moved}}"` }] });
  expect(link.status.handled?.['foreign writes']).toBe(4);
  await cluster.move([1, 2, 3], shard(2), shard(0));
});

it('goes on listening at the replica that takes a shard over', async () => {
  await using pairs = await TestCluster.form(2, { replicas: true });
  await client.call('SET', 'k', 'v');
  const target = { kind: 'cluster', seeds: pairs.seeds } as const;
  await using link = await LiveLink.start(source.endpoint, target, LISTENING);
  await link.state('Synchronizing');
  const [before, replica] = [pairs.primaries[0], pairs.replicas[0]];
  if (before === undefined || replica === undefined) throw new Error('no shard');
  await until(() => isListening(before));
  await replica.connection.call('CLUSTER', 'FAILOVER', 'TAKEOVER');
  await pairs.agrees();
  await until(() => isListening(replica));
  await replica.connection.call('SET', 'k', 'theirs');
  await client.call('INCR', 'n');
  await link.drained(source.endpoint);
  const name = `shard ${before.id.slice(0, 8)} of the target`;
  const at = `127.0.0.1:${replica.server.port}`;
  expect((await told(link)).at(-1)).toMatchObject({
    message: expect.stringContaining(name),
    shard: at,
    count: 1,
    samples: [{ command: 'SET', key: '"k"' }],
  });
});

it('fail: the link stops', async () => {
  await client.call('SET', 'k', 'v');
  await using link = await listened({ foreignWrites: 'fail' });
  await cluster.call(['SET', 'k', 'theirs']);
  expect(await link.failed()).toMatchObject({ code: 'POLICY', message: expect.stringContaining('SET "k"') });
});

it('ignore, and auto on a target that is not disposable: nobody listens', async () => {
  const target = { kind: 'cluster', seeds: cluster.seeds } as const;
  const full = async (): Promise<string[]> =>
    Promise.all(
      cluster.primaries.map(
        async ({ server }) => (await infoOf(server.endpoint, 'stats'))['sync_full'] ?? '',
      ),
    );
  const before = await full();
  for (const foreignWrites of ['ignore', 'auto'] as const) {
    await using link = await LiveLink.start(source.endpoint, target, { ...LISTENING, foreignWrites });
    await link.state('Synchronizing');
    await cluster.call(['SET', 'k', 'theirs']);
    await client.call('SET', 'k', textOf(await cluster.call(['GET', 'k'])));
    await link.drained(source.endpoint);
    expect(await told(link)).toEqual([]);
  }
  expect(await full()).toEqual(before);
});
