/** A standalone source into a real cluster: every slot mapped right, nothing lost, nothing applied twice. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Connection } from '../../../../engine/connect/connection.ts';
import { textOf } from '../../../../engine/resp/reply-text.ts';
import { contentsOf, differences, TestCluster } from '../../../support/cluster.ts';
import { startServer, type TestServer } from '../../../support/server.ts';
import { LiveLink } from '../../link/live-link.ts';
import { ledger, MOVED_SLOTS, writeUntil } from './ledger.ts';

let cluster: TestCluster;
let source: TestServer;
let client: Connection;

beforeAll(async () => {
  [cluster, source] = await Promise.all([TestCluster.form(3), startServer({ 'repl-backlog-size': '100mb' })]);
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

  it('has everything exactly once while its connections are ended and slots move to and fro', async () => {
    await client.pipeline(
      Array.from({ length: 5000 }, (_, index) => ['RPUSH', `early:${index % 700}`, index]),
    );
    const writing = new AbortController();
    const rounds = writeUntil(source.endpoint, writing.signal);
    const [first, second] = cluster.primaries;
    if (first === undefined || second === undefined) throw new Error('no primaries');
    const slots = [...Array(MOVED_SLOTS).keys()];
    let redirected = 0;
    const modes: string[] = [];
    let life = await LiveLink.start(source.endpoint, { kind: 'cluster', seeds: cluster.seeds });
    // During the full sync, then during the stream.
    await cluster.move(slots, first, second);
    await life.state('Synchronizing');
    for (let turn = 0; turn < 2; turn++) {
      const moving = turn % 2 === 0 ? cluster.move(slots, second, first) : cluster.move(slots, first, second);
      for (const { connection } of cluster.primaries) await endLink(connection);
      await moving;
      // As good as killed: nothing is drained, nothing written.
      redirected += life.status.handled?.['retried MOVED'] ?? 0;
      modes.push(...life.said('sync-started').map(({ mode }) => mode));
      await life[Symbol.asyncDispose]();
      life = await LiveLink.start(source.endpoint, { kind: 'cluster', seeds: cluster.seeds });
      await life.state('Synchronizing');
    }
    writing.abort();
    expect(await rounds).toBeGreaterThan(100);
    await life.drained(source.endpoint);
    modes.push(...life.said('sync-started').map(({ mode }) => mode));
    expect(modes).toEqual(['full', 'partial', 'partial']);
    expect(redirected).toBeGreaterThan(0);
    expect(life.status.errors).toEqual({});
    await life.stop();
    await life[Symbol.asyncDispose]();
    expect(await different()).toEqual([]);
  });
});

/** Ends the link's connections to this node, as a broken network would. */
async function endLink(connection: Connection): Promise<void> {
  const list = textOf(await connection.call('CLIENT', 'LIST'));
  const ids = [...list.matchAll(/^id=(\d+) .* name=redis-sync:moving /gm)].map((match) => match[1] ?? '');
  await connection.pipeline(ids.map((id) => ['CLIENT', 'KILL', 'ID', id]));
}
