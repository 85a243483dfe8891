/** A shard of a cluster target that throws keys away, and one whose memory settings are changed meanwhile. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Connection } from '../../../../engine/connect/connection.ts';
import type { EngineOptions } from '../../../../engine/link/options.ts';
import { textOf } from '../../../../engine/resp/reply-text.ts';
import { TestCluster, type TestNode } from '../../../support/cluster.ts';
import { infoOf } from '../../../support/replication.ts';
import { startServer, type TestServer } from '../../../support/server.ts';
import { until } from '../../../support/until.ts';
import { LiveLink } from '../live-link.ts';

const WATCH_MS = 100;
const SPARE_BYTES = 500_000;

let cluster: TestCluster;
let source: TestServer;
let client: Connection;

beforeAll(async () => {
  [cluster, source] = await Promise.all([TestCluster.form(2), startServer()]);
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
  for (const { connection } of cluster.primaries) {
    await connection.call('CONFIG', 'SET', 'maxmemory', 0);
    await connection.call('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    await connection.call('CONFIG', 'RESETSTAT');
  }
});

/** The first shard has room for about half of what it is to get; it has been looked at before and after that was set. */
async function crowded(engine: Partial<EngineOptions> = {}): Promise<{ link: LiveLink; shard: TestNode }> {
  const [shard] = cluster.primaries;
  if (shard === undefined) throw new Error('no primary');
  const target = { kind: 'cluster', seeds: cluster.seeds } as const;
  const link = await LiveLink.start(source.endpoint, target, { watchMs: WATCH_MS, ...engine });
  await link.state('Synchronizing');
  await until(async () =>
    /name=redis-sync:watch .*cmd=info/.test(textOf(await shard.connection.call('CLIENT', 'LIST'))),
  );
  const used = Number((await infoOf(shard.server.endpoint, 'memory'))['used_memory']);
  // Checkpoints have no expiry: they stay.
  await shard.connection.call('CONFIG', 'SET', 'maxmemory-policy', 'volatile-lru');
  await shard.connection.call('CONFIG', 'SET', 'maxmemory', used + SPARE_BYTES);
  await until(() => Promise.resolve(link.findings('CONFIG_DRIFT').length === 2));
  return { link, shard };
}

async function write(): Promise<void> {
  await client.pipeline(
    Array.from({ length: 2000 }, (_, index) => ['SET', `key:${index}`, 'v'.repeat(1000), 'EX', 100_000]),
  );
}

describe('eviction by a shard of a cluster', () => {
  it('report: the link goes on, and says which shard has thrown away how many keys', async () => {
    const { link, shard } = await crowded();
    await write();
    await link.drained(source.endpoint);
    await link.stop();
    const { evicted_keys: evicted } = await infoOf(shard.server.endpoint, 'stats');
    expect(Number(evicted)).toBeGreaterThan(100);
    expect(link.findings('EVICTION').at(-1)).toMatchObject({
      severity: 'error',
      evidence: { count: Number(evicted), shard: `127.0.0.1:${shard.server.port}`, policy: 'report' },
    });
    expect(link.status.handled?.['evicted by the target']).toBe(Number(evicted));
    expect(link.status.errors).toEqual({});
    await link[Symbol.asyncDispose]();
  });

  it('fail: the link stops', async () => {
    const { link } = await crowded({ eviction: 'fail' });
    await write();
    expect(await link.failed()).toMatchObject({
      code: 'POLICY',
      message: expect.stringContaining('evicted'),
    });
    await link[Symbol.asyncDispose]();
  });
});
