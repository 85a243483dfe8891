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
  [cluster, source] = await Promise.all([
    TestCluster.form(3),
    startServer({ 'repl-backlog-size': '100mb', 'enable-debug-command': 'yes' }),
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
  for (const { connection } of cluster.primaries) await connection.call('FLUSHALL');
});

async function different(): Promise<string[]> {
  return differences(await contentsOf(client), await cluster.contents());
}

/** Ends the link's connections to this node, as a broken network would. */
async function endLink(connection: Connection): Promise<void> {
  const list = textOf(await connection.call('CLIENT', 'LIST'));
  const ids = [...list.matchAll(/^id=(\d+) .* name=redis-sync:moving /gm)].map((match) => match[1] ?? '');
  await connection.pipeline(ids.map((id) => ['CLIENT', 'KILL', 'ID', id]));
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

  it('stops before a command over several slots, and names it', async () => {
    await using link = await LiveLink.start(source.endpoint, { kind: 'cluster', seeds: cluster.seeds });
    await link.state('Synchronizing');
    await client.pipeline([
      ['SET', 'before', 'v'],
      ['MSET', 'a', 1, 'b', 2],
    ]);
    expect(await link.failed()).toMatchObject({
      code: 'POLICY',
      hint: expect.stringContaining('engine.crossSlot'),
    });
    const [finding] = link.findings('CROSSSLOT');
    expect(finding).toMatchObject({
      severity: 'error',
      message: expect.stringContaining("CROSSSLOT Keys in request don't hash to the same slot"),
      evidence: { command: 'MSET', keys: ['"a"', '"b"'], slots: [15495, 3300] },
    });
    expect([...(await cluster.contents()).keys()]).toEqual(['before']);
  });

  it('splits what falls apart by key, and says what is not atomic any more', async () => {
    const target = { kind: 'cluster', seeds: cluster.seeds } as const;
    await using link = await LiveLink.start(source.endpoint, target, { crossSlot: 'split' });
    await link.state('Synchronizing');
    await client.pipeline([
      ['MSET', 'a', 1, 'b', 2, 'c', 3, '{a}x', 4],
      ['DEL', 'b', 'nothing', '{a}x'],
      ['MULTI'],
      ['INCR', 'a'],
      ['INCR', 'c'],
      ['EXEC'],
    ]);
    await link.drained(source.endpoint);
    expect(await different()).toEqual([]);
    expect(link.status.handled).toMatchObject({ 'split mset': 1, 'split del': 1, 'transactions split': 1 });
    await client.pipeline([['RENAME', 'a', 'z']]);
    expect(await link.failed()).toMatchObject({
      code: 'POLICY',
      message: expect.stringContaining('RENAME "a" "z"'),
    });
  });

  it('reads again what others have written, while more is written to it', async () => {
    const target = { kind: 'cluster', seeds: cluster.seeds } as const;
    let life = await LiveLink.start(source.endpoint, target, { crossSlot: 'refetch' });
    await life.state('Synchronizing');
    for (let round = 0; round < 60; round++) {
      await client.pipeline([
        ['RPUSH', `list:${round % 7}`, round, round + 1],
        ['RPOPLPUSH', `list:${round % 7}`, `other:${round % 5}`],
        ['LPUSH', `other:${round % 5}`, round],
        ['INCR', `count:${round % 3}`],
        ['RENAME', `count:${round % 3}`, `renamed:${round % 4}`],
        ['INCRBY', `renamed:${round % 4}`, 10],
        ['SADD', `set:${round % 3}`, round],
        ['SUNIONSTORE', 'union', 'set:0', 'set:1'],
        ['PEXPIRE', `set:${round % 3}`, 1_000_000],
      ]);
      // Killed in between: what is to be read again is noted on the target.
      if (round !== 30) continue;
      await life[Symbol.asyncDispose]();
      life = await LiveLink.start(source.endpoint, target, { crossSlot: 'refetch' });
      await life.state('Synchronizing');
    }
    await life.drained(source.endpoint);
    expect(await different()).toEqual([]);
    expect(life.status.errors).toEqual({});
    expect(life.status.handled).toMatchObject({ 'refetched rename': expect.any(Number) });
    await life[Symbol.asyncDispose]();
  });

  it('takes a flush and functions on every shard, and leaves its own checkpoints', async () => {
    const target = { kind: 'cluster', seeds: cluster.seeds } as const;
    await using link = await LiveLink.start(source.endpoint, target, { flush: 'propagate' });
    await link.state('Synchronizing');
    await client.pipeline(Array.from({ length: 300 }, (_, index) => ['SET', `key:${index}`, index]));
    const code = "#!lua name=lib\nredis.register_function('f', function() return 1 end)";
    await client.call('FLUSHALL');
    await client.call('FUNCTION', 'LOAD', code);
    await client.call('SET', 'after', 'v');
    await link.drained(source.endpoint);
    expect(await different()).toEqual([]);
    for (const { connection } of cluster.primaries)
      expect(textOf(await connection.call('FUNCTION', 'LIST'))).toContain('lib');
    await client.call('INCR', 'after2');
    await link.drained(source.endpoint);
    expect(await different()).toEqual([]);
    await client.call('FUNCTION', 'FLUSH');
    await link.drained(source.endpoint);
  });

  it('refuses what is in another database', async () => {
    await using link = await LiveLink.start(source.endpoint, { kind: 'cluster', seeds: cluster.seeds });
    await link.state('Synchronizing');
    await client.pipeline([
      ['SELECT', 1],
      ['SET', 'k', 'v'],
      ['SELECT', 0],
    ]);
    expect(await link.failed()).toMatchObject({
      code: 'POLICY',
      message: expect.stringContaining('database 1'),
    });
    expect(link.findings('UNSUPPORTED_COMMAND')).toHaveLength(1);
  });

  it('removes what the source does not have any more after a second full sync', async () => {
    const target = { kind: 'cluster', seeds: cluster.seeds } as const;
    await client.pipeline(Array.from({ length: 500 }, (_, index) => ['SET', `key:${index}`, index]));
    const first = await LiveLink.start(source.endpoint, target);
    await first.state('Synchronizing');
    await first.stop();
    await first[Symbol.asyncDispose]();
    await client.pipeline(Array.from({ length: 400 }, (_, index) => ['DEL', `key:${index}`]));
    await client.call('DEBUG', 'CHANGE-REPL-ID');
    await using second = await LiveLink.start(source.endpoint, target);
    await second.state('Synchronizing');
    expect(second.said('sync-started').map(({ mode }) => mode)).toEqual(['full']);
    expect(second.findings('FULL_RESYNC')).toMatchObject([{ evidence: { keysRemoved: 400 } }]);
    expect(await different()).toEqual([]);
  });
});
