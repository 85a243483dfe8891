/** Clusters in circles: nothing comes back, whatever a link writes there; what cannot be told stops the link before it. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { Connection } from '../../../../engine/connect/connection.ts';
import { tagOfSlot } from '../../../../engine/keys/cluster-slot.ts';
import { contentsOf, differences, TestCluster } from '../../../support/cluster.ts';
import { startServer, type TestServer } from '../../../support/server.ts';
import { until } from '../../../support/until.ts';
import { CirclePair, failuresOf, startForward, sum } from './circle-pair.ts';

const MOVED_SLOTS = 20;
const LIBRARY = '#!lua name=circle\nredis.register_function("circle", function() return 1 end)';

let home: TestCluster;
let office: TestCluster;
let desk: TestServer;

beforeAll(async () => {
  // Every slot gets checkpoints: that alone is more than the usual backlog.
  const config = { 'repl-backlog-size': '50mb' };
  [home, office, desk] = await Promise.all([
    TestCluster.form(3, { config }),
    TestCluster.form(2, { config }),
    startServer(),
  ]);
});

afterAll(async () => {
  await home[Symbol.asyncDispose]();
  await office[Symbol.asyncDispose]();
  await desk.stop();
});

beforeEach(async () => {
  for (const { connection } of [...home.primaries, ...office.primaries]) {
    await connection.call('FLUSHALL');
    await connection.call('FUNCTION', 'FLUSH');
  }
});

/** 900 commands, and 200 deadlines so near that they are deferred on the other side, and given back there. */
function writes(side: 'home' | 'office'): (string | number)[][] {
  const odd = side === 'home' ? 0 : 1;
  return Array.from({ length: 200 }, (_, index) => [
    ['INCRBY', `counter:${index % 40}`, index],
    ['RPUSH', `list:${side}:${index % 20}`, index],
    ['SADD', `set:${index % 10}`, index * 2 + odd],
    ['SET', `soon:${side}:${index}`, index, 'EX', 9],
    ...(index % 2 === 0 ? [['DEL', `old:${index + odd}`]] : []),
  ]).flat();
}

function inMovedSlots(value: string): string[][] {
  return Array.from({ length: MOVED_SLOTS }, (_, slot) => ['SET', `moved:{${tagOfSlot(slot)}}`, value]);
}

it('brings what clients write on both clusters over once, whatever it is', async () => {
  await home.pipeline(Array.from({ length: 300 }, (_, index) => ['SET', `old:${index}`, index]));
  await using pair = await CirclePair.start(home, office);
  const { forward, reverse } = pair;
  await Promise.all([home.pipeline(writes('home')), office.pipeline(writes('office'))]);
  for (const links of [forward, reverse]) {
    await links.drained(false);
    expect(sum(links, ({ deferred = 0 }) => deferred)).toBeGreaterThan(0);
    links.settle();
  }
  await pair.settled();
  expect(differences(await home.contents(), await office.contents())).toEqual([]);
  expect(pair.commands).toEqual([900, 900]);
  await office.primaries[0]?.connection.call('FUNCTION', 'LOAD', LIBRARY);
  await pair.settled();
  for (const { connection } of home.primaries)
    expect(await connection.call('FUNCTION', 'LIST')).toHaveLength(1);
  expect(pair.commands).toEqual([900, 901]);
  expect(pair.echoes).toBe(0);
  await forward.stop();
  await reverse.stop();
}, 60_000);

it('stops a link whose source, a cluster, is loaded anew: nobody could tell its keys from fresh ones', async () => {
  for (const words of inMovedSlots('home')) await home.call(words);
  await using pair = await CirclePair.start(home, office);
  // In order: nothing of it is on its way any more.
  await pair.forward.stop();
  await office.call(['DEL', 'redis-sync:link:{forward-0}']);
  await using again = await startForward(home, office);
  await until(() => Promise.resolve(failuresOf(pair.reverse).length === office.primaries.length));
  expect(failuresOf(pair.reverse)[0]).toContain('copied anew to the source, a cluster in a circle');
  expect(pair.commands[1]).toBe(0);
  expect(again.statuses).toHaveLength(home.primaries.length);
}, 60_000);

/** Commands that tell every omission and every repetition, until told to end; how many rounds. */
async function writeUntil(
  cluster: TestCluster,
  side: 'home' | 'office',
  signal: AbortSignal,
): Promise<number> {
  let round = 0;
  for (; !signal.aborted; round++) {
    const tag = tagOfSlot(round % MOVED_SLOTS);
    await cluster.call(['INCRBY', `counter:{${tag}}`, round]);
    await cluster.call(['RPUSH', `list:${side}:{${tag}}`, round]);
    await cluster.call(['SET', `new:${side}:${round % 300}:{${tag}}`, round]);
    await cluster.call(['DEL', `new:${side}:${(round * 7) % 300}:{${tag}}`]);
    if (round % 5 === 0) await cluster.call(['DEL', `list:${side}:{${tag}}`]);
  }
  return round;
}

it('follows slots that move on both sides, there and back, while clients write on both', async () => {
  for (const words of inMovedSlots('home')) await home.call(words);
  await using pair = await CirclePair.start(home, office);
  const { forward, reverse } = pair;
  const ending = new AbortController();
  const writing = Promise.all([
    writeUntil(home, 'home', ending.signal),
    writeUntil(office, 'office', ending.signal),
  ]);
  const slots = [...Array(MOVED_SLOTS).keys()];
  const to = async (cluster: TestCluster, back: boolean): Promise<void> => {
    const [first, second] = cluster.primaries;
    if (first === undefined || second === undefined) throw new Error('no primaries');
    await cluster.move(slots, back ? second : first, back ? first : second, 5);
    await cluster.agrees();
  };
  for (let time = 0; time < 4; time++) {
    await to(home, false);
    await to(office, false);
    await Promise.all([to(home, true), to(office, true)]);
  }
  ending.abort();
  for (const rounds of await writing) expect(rounds).toBeGreaterThan(10);
  await pair.settled();
  expect(differences(await home.contents(), await office.contents())).toEqual([]);
  expect(pair.echoes).toBe(0);
  for (const links of [forward, reverse]) {
    expect(sum(links, ({ dropped }) => dropped['moved with its slot'] ?? 0)).toBeGreaterThan(0);
    expect(links.statuses.map(({ errors }) => errors)).toEqual(links.statuses.map(() => ({})));
    await links.stop();
  }
}, 60_000);

it('stops a link to a server before keys that move at its source are taken from it, or brought back', async () => {
  await using pair = await CirclePair.start(home, desk);
  for (const words of inMovedSlots('home')) await home.call(words);
  await pair.settled();
  await using connection = await Connection.open(desk.endpoint);
  const keys = await contentsOf(connection);
  expect(keys.size).toBe(MOVED_SLOTS);
  const [from, to] = home.primaries;
  if (from === undefined || to === undefined) throw new Error('no primaries');
  const slots = [...Array(MOVED_SLOTS).keys()];
  await home.move(slots, from, to);
  await until(() => Promise.resolve(failuresOf(pair.forward).length >= 2));
  expect(failuresOf(pair.forward).join()).toMatch(/being resharded|Slots move/);
  expect(pair.forward.findings('TOPOLOGY_CHANGED')).not.toEqual([]);
  expect(differences(keys, await contentsOf(connection))).toEqual([]);
  expect(pair.echoes).toBe(0);
}, 60_000);
