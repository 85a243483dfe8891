/** Keys with an expiry into a real cluster: what the source renewed in time is kept, and every deadline is the source's in the end. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Connection } from '../../../../engine/connect/connection.ts';
import { DEFAULT_EXPIRY_OPTIONS } from '../../../../engine/link/options.ts';
import { tagOfSlot } from '../../../../engine/keys/cluster-slot.ts';
import { textOf } from '../../../../engine/resp/reply-text.ts';
import { contentsOf, differences, TestCluster } from '../../../support/cluster.ts';
import { startServer, type TestServer } from '../../../support/server.ts';
import { nowOf, passed } from '../../../support/server-clock.ts';
import { until } from '../../../support/until.ts';
import { LINK, LiveLink } from '../../link/live-link.ts';

/** Of a key that is renewed by the next command of its pipeline: a busy machine may well stop the server in between. */
const TTL_MS = 500;

let cluster: TestCluster;
let source: TestServer;
let client: Connection;

beforeAll(async () => {
  [cluster, source] = await Promise.all([TestCluster.form(3), startServer()]);
  client = await Connection.open(source.endpoint);
});

afterAll(async () => {
  await client.close();
  await source[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

beforeEach(async () => {
  await client.call('CONFIG', 'SET', 'rdb-key-save-delay', 0);
  await client.call('FLUSHALL');
  await cluster.clear();
});

function start(guardMs = DEFAULT_EXPIRY_OPTIONS.guardMs): Promise<LiveLink> {
  const target = { kind: 'cluster', seeds: cluster.seeds } as const;
  return LiveLink.start(source.endpoint, target, { expiry: { ...DEFAULT_EXPIRY_OPTIONS, guardMs } });
}

async function different(): Promise<string[]> {
  return differences(await contentsOf(client), await cluster.contents());
}

/** Deadlines of these keys at the source, and on the target. */
async function deadlines(keys: readonly string[]): Promise<{ set: string[]; written: string[] }> {
  const set = await client.pipeline(keys.map((key) => ['PEXPIRETIME', key]));
  const written: string[] = [];
  for (const key of keys) written.push(textOf(await cluster.call(['PEXPIRETIME', key])));
  return { set: set.map(textOf), written };
}

describe('a key with an expiry on its way to a cluster', () => {
  it('is kept when it was renewed in time during a slow full sync, though its copy was due long before', async () => {
    await client.pipeline([
      ...Array.from({ length: 300 }, (_, index) => ['SET', `filler:${index}`, 'x']),
      ...Array.from({ length: 20 }, (_, index) => ['SET', `session:${index}`, index, 'PX', 1500]),
    ]);
    const deadline = (await nowOf(client)) + 1500;
    await client.call('CONFIG', 'SET', 'rdb-key-save-delay', 8000);
    await using link = await start();
    await link.heard((message) => message.kind === 'sync-started');
    await client.pipeline([
      ...Array.from({ length: 20 }, (_, index) => ['PEXPIRE', `session:${index}`, 600_000]),
      ['PERSIST', 'session:1'],
      ['INCR', 'session:0'],
    ]);
    await passed(client, deadline);
    await link.state('Synchronizing');
    await link.drained(source.endpoint);
    expect(textOf(await cluster.call(['GET', 'session:0']))).toBe('1');
    expect(await different()).toEqual([]);
    expect(link.findings('APPLY_ERROR')).toEqual([]);
    const { set, written } = await deadlines(['session:0', 'session:1', 'session:19']);
    expect(written).toEqual(set);
  });

  it('has the right value when it was written, counted up and made lasting in time, and applied late', async () => {
    await using link = await start();
    await link.state('Synchronizing');
    link.replicator.pause(LINK);
    await client.call('SET', 'last before the pause', 1);
    await client.pipeline([
      ['SET', 'lasting', 1, 'PX', TTL_MS],
      ['INCR', 'lasting'],
      ['PERSIST', 'lasting'],
      ['SET', '{m}moved', 1, 'PX', TTL_MS],
      ['RENAME', '{m}moved', '{m}here'],
      ['INCR', '{m}here'],
      ['PERSIST', '{m}here'],
      ['SET', 'again', 5, 'PX', TTL_MS],
    ]);
    await passed(client, (await nowOf(client)) + TTL_MS);
    // Expired at the source: a new one begins at 1.
    await client.call('INCR', 'again');
    link.replicator.resume(LINK);
    await link.drained(source.endpoint);
    const values = [];
    for (const key of ['lasting', '{m}here', 'again']) values.push(textOf(await cluster.call(['GET', key])));
    expect(values).toEqual(['2', '2', '1']);
    expect(await different()).toEqual([]);
  });

  it('gets its true deadline after a crash, and though its slot has moved', async () => {
    const keys = Array.from({ length: 20 }, (_, index) => `{${tagOfSlot(index * 800)}}key`);
    await client.pipeline(keys.map((key, index) => ['SET', key, index]));
    // All of these are near, for as long as the test runs.
    let link = await start(600_000);
    await link.state('Synchronizing');
    await client.pipeline(keys.map((key, index) => ['PEXPIRE', key, 300_000 + index]));
    await until(() => link.status.deferred === keys.length);
    await until(async () => {
      const { set, written } = await deadlines(keys);
      return written.every((ms, index) => Number(ms) > Number(set[index]) + 60_000);
    });
    // As good as killed: what it remembered is gone.
    await link[Symbol.asyncDispose]();
    // As MIGRATE leaves it: it takes along how long a key still lives, not until when.
    const [drifted = ''] = keys.slice(5);
    const [before] = (await deadlines([drifted])).written;
    await cluster.call(['PEXPIREAT', drifted, Number(before) + 3]);
    link = await start(600_000);
    await link.state('Synchronizing');
    expect(link.said('sync-started').map(({ mode }) => mode)).toEqual(['partial']);
    expect(link.status.deferred).toBeGreaterThan(0);
    const [first, second] = cluster.primaries;
    if (first === undefined || second === undefined) throw new Error('no primaries');
    await cluster.move([0, 800], first, second);
    await link.drained(source.endpoint);
    const { set, written } = await deadlines(keys);
    expect(written).toEqual(set);
    await link.stop();
    expect(link.findings('EXPIRY_LATE')).toEqual([]);
    await link[Symbol.asyncDispose]();
  });
});
