/** A thousand slots and their keys, to and fro, on both sides, in the middle of a full sync and of the stream. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { tagOfSlot } from '../../../../engine/keys/cluster-slot.ts';
import { differences, TestCluster, type TestNode } from '../../../support/cluster.ts';
import { freezeSaves } from '../../../support/frozen-save.ts';
import { until } from '../../../support/until.ts';
import { ledger } from './ledger.ts';
import { ShardLinks } from './shard-links.ts';

const SLOTS_MOVED = 1000;
/** On the move together: as an operator's script that does not wait for each. */
const SLOTS_AT_ONCE = 50;
const slots = [...Array(SLOTS_MOVED).keys()];

let source: TestCluster;
let target: TestCluster;

beforeAll(async () => {
  const config = { 'repl-backlog-size': '100mb', 'rdb-key-save-delay': '1000' };
  [source, target] = await Promise.all([TestCluster.form(3, { config }), TestCluster.form(2)]);
});

afterAll(async () => {
  await source[Symbol.asyncDispose]();
  await target[Symbol.asyncDispose]();
});

function pair(cluster: TestCluster): [TestNode, TestNode] {
  const [first, second] = cluster.primaries;
  if (first === undefined || second === undefined) throw new Error('no primaries');
  return [first, second];
}

/** Both clusters at once, to the other shard and back. */
async function moveThereAndBack(): Promise<void> {
  await Promise.all([source, target].map(move));
  await Promise.all([source, target].map((cluster) => move(cluster, true)));
}

async function move(cluster: TestCluster, back: unknown = false): Promise<void> {
  const [first, second] = pair(cluster);
  const [from, to] = back === true ? [second, first] : [first, second];
  await cluster.move(slots, from, to, SLOTS_AT_ONCE);
}

function noise(seed: number): string {
  return Array.from({ length: 5 }, (_, part) =>
    createHash('sha512').update(`${seed}:${part}`).digest('base64'),
  ).join('');
}

/** Writes through MOVED and ASK, one command after the other, until told to end. */
async function writeUntil(signal: AbortSignal): Promise<number> {
  let round = 0;
  for (; !signal.aborted; round++)
    for (const words of ledger(round, SLOTS_MOVED)) if (words.length > 1) await source.call(words);
  return round;
}

function handled({ statuses }: ShardLinks, what: string): number {
  return statuses.reduce((sum, status) => sum + (status.handled?.[what] ?? 0), 0);
}

it('loses and adds nothing when a thousand slots move to and fro on both sides, in full sync and stream', async () => {
  await source.pipeline(
    slots.flatMap((slot) => [
      ['SET', `string:{${tagOfSlot(slot)}}`, slot],
      ['RPUSH', `list:{${tagOfSlot(slot)}}`, 'a', slot],
    ]),
  );
  // Long, and not to be compressed: there is something of them before the snapshots are done.
  await source.pipeline(Array.from({ length: 6000 }, (_, index) => ['SET', `key:${index}`, noise(index)]));
  await using links = await ShardLinks.start(source, { kind: 'cluster', seeds: target.seeds });
  await until(() => Promise.resolve(links.statuses.every(({ snapshot }) => snapshot.bytes > 100_000)));
  const thaw = await freezeSaves(source.primaries.map(({ server }) => server));
  const writing = new AbortController();
  const rounds = writeUntil(writing.signal);
  await moveThereAndBack();
  expect(links.statuses.map(({ snapshot }) => snapshot.done)).toEqual([false, false, false]);
  thaw();
  await moveThereAndBack();
  await links.synchronized();
  await moveThereAndBack();
  writing.abort();
  expect(await rounds).toBeGreaterThan(100);
  await links.drained();
  expect(links.statuses.map(({ errors }) => errors)).toEqual([{}, {}, {}]);
  // It was not for nothing: both sides' moves were met with.
  expect(handled(links, 'left to the new owner of the slot')).toBeGreaterThan(0);
  expect(handled(links, 'retried MOVED')).toBeGreaterThan(0);
  await links.stop();
  expect(differences(await source.contents(), await target.contents())).toEqual([]);
}, 120_000);
