/** A standalone source into a real cluster: every slot mapped right, nothing lost, nothing applied twice. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Connection, type Argument } from '../../../../engine/connect/connection.ts';
import { contentsOf, differences, TestCluster } from '../../../support/cluster.ts';
import { startServer, type TestServer } from '../../../support/server.ts';
import { LiveLink } from '../../link/live-link.ts';

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
  await client.call('FLUSHALL');
  for (const { connection } of cluster.primaries) await connection.call('FLUSHALL');
});

async function different(): Promise<string[]> {
  return differences(await contentsOf(client), await cluster.contents());
}

/** Writes that show every repetition and every omission, over many slots. */
function ledger(round: number): Argument[][] {
  const key = `k${round % 97}`;
  return [
    ['INCR', `counter:${key}`],
    ['RPUSH', `list:${key}`, round],
    ['SET', `string:${key}`, round],
    ['APPEND', `text:${key}`, `${round},`],
    ['MULTI'],
    ['INCRBY', `{${key}}a`, round],
    ['LPUSH', `{${key}}b`, round],
    ['EXEC'],
    ['DEL', `string:k${(round * 7) % 97}`],
  ];
}

describe('a cluster as target', () => {
  it('gets every key of the snapshot and of the stream where its slot is', async () => {
    await client.pipeline(Array.from({ length: 3000 }, (_, index) => ['SET', `key:${index}`, index]));
    await client.pipeline(Array.from({ length: 300 }, (_, index) => ['RPUSH', `list:${index}`, 'a', index]));
    await client.call('SET', 'expiring', 'v', 'EX', 1000);
    await using link = await LiveLink.start(source.endpoint, { kind: 'cluster', seeds: cluster.seeds });
    await link.state('Synchronizing');
    await client.pipeline(Array.from({ length: 500 }, (_, round) => ledger(round)).flat());
    await link.drained(source.endpoint);
    expect(await different()).toEqual([]);
    expect(link.status.errors).toEqual({});
    await link.stop();
  });
});
