/** A cluster into a cluster: one link per source shard, slots moving on both sides. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { differences, TestCluster, type TestNode } from '../../../support/cluster.ts';
import { tagOfSlot } from '../../../../engine/keys/cluster-slot.ts';
import { startServer } from '../../../support/server.ts';
import { until } from '../../../support/until.ts';
import { ledger, MOVED_SLOTS } from './ledger.ts';
import { ShardLinks } from './shard-links.ts';

let source: TestCluster;
let target: TestCluster;

beforeAll(async () => {
  [source, target] = await Promise.all([
    TestCluster.form(3, { config: { 'repl-backlog-size': '50mb' } }),
    TestCluster.form(2),
  ]);
});

afterAll(async () => {
  await source[Symbol.asyncDispose]();
  await target[Symbol.asyncDispose]();
});

async function different(): Promise<string[]> {
  return differences(await source.contents(), await target.contents());
}

/** Writes through MOVED and ASK, one command after the other, until told to end. */
async function writeUntil(signal: AbortSignal): Promise<number> {
  let round = 0;
  for (; !signal.aborted; round++)
    for (const words of ledger(round)) if (words.length > 1) await source.call(words);
  return round;
}

function pair(cluster: TestCluster): [TestNode, TestNode] {
  const [first, second] = cluster.primaries;
  if (first === undefined || second === undefined) throw new Error('no primaries');
  return [first, second];
}

describe('a cluster as source', () => {
  it('is followed shard by shard, whatever moves on either side: nothing missing, nothing extra', async () => {
    await source.pipeline(Array.from({ length: 3000 }, (_, index) => ['SET', `key:${index}`, index]));
    await source.pipeline(Array.from({ length: 300 }, (_, index) => ['RPUSH', `list:${index}`, 'a', index]));
    const writing = new AbortController();
    const rounds = writeUntil(writing.signal);
    const [first, second] = pair(source);
    const [left, right] = pair(target);
    const slots = [...Array(MOVED_SLOTS).keys()];
    await using links = await ShardLinks.start(source, { kind: 'cluster', seeds: target.seeds });
    // During the full sync, then during the stream.
    await Promise.all([source.move(slots, first, second), target.move(slots, left, right)]);
    await links.synchronized();
    await Promise.all([source.move(slots, second, first), target.move(slots, right, left)]);
    await source.move(slots, first, second);
    writing.abort();
    expect(await rounds).toBeGreaterThan(20);
    await links.drained();
    expect(links.statuses.map(({ errors }) => errors)).toEqual([{}, {}, {}]);
    const leftOut = links.statuses.map(({ handled }) => handled?.['left to the new owner of the slot'] ?? 0);
    expect(Math.max(...leftOut)).toBeGreaterThan(0);
    await links.stop();
    expect(await different()).toEqual([]);
    expect(links.findings('TOPOLOGY_CHANGED').length).toBeGreaterThan(0);
  });

  it('compares what has moved with the source, and puts right what differs', async () => {
    const [first, second] = pair(source);
    const tag = tagOfSlot(7);
    await source.pipeline([
      ['SET', `right:{${tag}}`, 'v'],
      ['SET', `wrong:{${tag}}`, 'v'],
      ['SET', `missing:{${tag}}`, 'v'],
    ]);
    await using links = await ShardLinks.start(source, { kind: 'cluster', seeds: target.seeds });
    await links.synchronized();
    await links.drained();
    // As a command of the old owner would have done that came after those of the new one.
    await target.call(['SET', `wrong:{${tag}}`, 'w']);
    await target.call(['SET', `extra:{${tag}}`, 'v']);
    await target.call(['DEL', `missing:{${tag}}`]);
    const { owners, shards } = await source.topology();
    const isThere = shards[owners[7] ?? -1]?.primary.id === first.id;
    await source.move([7], isThere ? first : second, isThere ? second : first);
    await until(async () => links.findings('TOPOLOGY_CHANGED').length > 0);
    await links.drained();
    await links.stop();
    expect(await different()).toEqual([]);
    const healed = links.statuses.map(({ handled }) => handled?.['keys of moved slots put right'] ?? 0);
    expect(healed.reduce((sum, each) => sum + each, 0)).toBe(3);
  });

  it('adopts a shard that is new, and what it got from the others', async () => {
    await using growing = await TestCluster.form(2, { idle: 1 });
    const [first, , third] = growing.primaries;
    if (first === undefined || third === undefined) throw new Error('no primaries');
    await target.clear();
    await growing.pipeline(Array.from({ length: 1000 }, (_, index) => ['SET', `key:${index}`, index]));
    await using links = await ShardLinks.start(growing, { kind: 'cluster', seeds: target.seeds });
    await links.synchronized();
    await growing.move([...Array(60).keys()], first, third);
    await growing.agrees();
    await links.adopt(growing);
    await links.synchronized();
    for (let index = 0; index < 1000; index += 7) await growing.call(['INCR', `key:${index}`]);
    await growing.move([60, 61], first, third);
    await links.drained();
    await links.stop();
    expect(links.statuses).toHaveLength(3);
    expect(differences(await growing.contents(), await target.contents())).toEqual([]);
  });

  it('stops a link to a server that is no cluster when slots move, and names what happened', async () => {
    await using single = await startServer();
    await source.clear();
    await source.pipeline(Array.from({ length: 300 }, (_, index) => ['SET', `key:${index}`, index]));
    const [first, second] = pair(source);
    await using links = await ShardLinks.start(source, single.endpoint);
    await links.synchronized();
    const { owners, shards } = await source.topology();
    const isThere = shards[owners[9] ?? -1]?.primary.id === first.id;
    await source.move([9], isThere ? first : second, isThere ? second : first);
    const failures = (): string[] =>
      links.messages.flatMap((message) => (message.kind === 'link-failed' ? [message.error.message] : []));
    await until(() => Promise.resolve(failures().length === 2));
    expect(failures().toSorted()).toEqual([
      expect.stringContaining('0 slots have left the source shard, 1 have come to it.'),
      expect.stringContaining('1 slots have left the source shard, 0 have come to it.'),
    ]);
    expect(links.findings('TOPOLOGY_CHANGED').map(({ severity }) => severity)).toEqual(['error', 'error']);
    // Who has nothing to do with it goes on.
    expect(links.statuses.map(({ state }) => state).toSorted()).toEqual([
      'Failed',
      'Failed',
      'Synchronizing',
    ]);
  });
});
