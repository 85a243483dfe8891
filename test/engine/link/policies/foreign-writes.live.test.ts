/** Writes of others to a target: seen in its own stream, told from ours, under each policy. */
import { describe, expect, it } from 'vitest';
import { Connection } from '../../../../engine/connect/connection.ts';
import type { EngineOptions } from '../../../../engine/link/options.ts';
import { infoOf, startReplica, syncsOf } from '../../../support/replication.ts';
import { ask, LINK, Rehearsal, until, type Life } from '../rehearsal.ts';

const WATCH_MS = 100;

/** A link in sync, listened to. */
async function listened(rehearsal: Rehearsal, engine: Partial<EngineOptions> = {}): Promise<Life> {
  await rehearsal.source.pipeline([
    ['SET', 'k', 'v'],
    ['SET', 'mortal', 'v', 'EX', 1000],
    ['RPUSH', 'l', 'a'],
  ]);
  const life = rehearsal.start({ foreignWrites: 'report', watchMs: WATCH_MS, ...engine });
  await life.reaches('Synchronizing');
  await until('the listener', async () =>
    / slave0|slave0:.*state=online/.test(await ask(rehearsal.target, 'INFO', 'replication')),
  );
  return life;
}

/** What was told of foreign writes, once everything the target did so far was heard. */
async function told(life: Life): Promise<{ count: number; samples: unknown; complete: unknown }> {
  await life.stop();
  const evidence = life.findings('FOREIGN_WRITE').at(-1)?.evidence;
  return {
    count: Number(evidence?.['count'] ?? 0),
    samples: evidence?.['samples'],
    complete: evidence?.['complete'],
  };
}

function place(name: string, database: number, command: string) {
  return { command, key: `"${name}"`, keyBase64: Buffer.from(name).toString('base64'), database };
}

const NONE = { count: 0, samples: undefined, complete: undefined };

describe('what is not foreign', () => {
  it('a link under load: every family of writes, transactions, a swap, and keys that expire on the target', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source } = rehearsal;
    const life = await listened(rehearsal, { heartbeatMs: 50 });
    for (let round = 0; round < 50; round++) {
      await source.pipeline([
        ['SET', 'k', round],
        ['SET', `short:${round}`, 'v', 'PX', 1 + (round % 30)],
        ['HSET', 'h', 'f', round],
        ['MULTI'],
        ['INCR', 'n'],
        ['SELECT', 5],
        ['RPUSH', 'l', round],
        ['SELECT', 0],
        ['EXEC'],
        ['DEL', 'gone'],
        ['SPOP', 'nothing'],
        ['SADD', 's', round],
        ['SPOP', 's'],
        ['DEL', `key:${round - 1}`, 'other'],
        ['SET', `key:${round}`, 'v'],
        ['SWAPDB', 7, 8],
      ]);
    }
    await rehearsal.drained(life);
    await until(
      'every short key expired there',
      async () => (await ask(rehearsal.target, 'EXISTS', 'short:49')) === '0',
    );
    expect(await told(life)).toEqual(NONE);
    expect(life.status.handled?.['foreign writes']).toBeUndefined();
  });

  it('keys that expire on the target alone: with an expiry of the full sync, by somebody who reads, by themselves', async () => {
    await using rehearsal = await Rehearsal.open();
    await rehearsal.source.pipeline(
      Array.from({ length: 200 }, (_, index) => ['SET', `soon:${index}`, 'v', 'PX', 1500]),
    );
    const life = await listened(rehearsal);
    await until('all expired', async () => {
      await rehearsal.target.call('EXISTS', 'soon:7');
      return !/soon:/.test(await ask(rehearsal.target, 'KEYS', 'soon:*'));
    });
    expect(await told(life)).toEqual(NONE);
  });

  it('keys that the target evicts', async () => {
    await using rehearsal = await Rehearsal.open({ target: { 'maxmemory-policy': 'volatile-lru' } });
    const { source, target } = rehearsal;
    await source.pipeline(
      Array.from({ length: 300 }, (_, index) => ['SET', `v:${index}`, 'x'.repeat(2000), 'EX', 1000]),
    );
    const life = await listened(rehearsal);
    const used = Number((await infoOf(rehearsal.servers.target.endpoint, 'memory'))['used_memory']);
    await target.call('CONFIG', 'SET', 'maxmemory', used - 200_000);
    await until(
      'evictions',
      async () => Number((await infoOf(rehearsal.servers.target.endpoint, 'stats'))['evicted_keys']) > 0,
    );
    expect(await told(life)).toEqual(NONE);
  });

  it('a second full sync of the link, with what it deletes', async () => {
    await using rehearsal = await Rehearsal.open({ source: { 'repl-backlog-size': '16384' } });
    const { source } = rehearsal;
    await source.pipeline(Array.from({ length: 100 }, (_, index) => ['SET', `stale:${index}`, 'v']));
    const life = await listened(rehearsal);
    const noise = Array.from({ length: 40 }, (_, index) => ['SET', `noise:${index}`, 'n'.repeat(1000)]);
    await source.pipeline([
      ['MULTI'],
      ['CLIENT', 'KILL', 'TYPE', 'replica'],
      ...Array.from({ length: 100 }, (_, index) => ['DEL', `stale:${index}`]),
      ...noise,
      ['EXEC'],
    ]);
    await until('a second full sync', () => life.of('sync-finished').length === 2);
    await source.call('SET', 'after', '1');
    await rehearsal.drained(life);
    expect(await told(life)).toEqual(NONE);
  });
});

describe('report', () => {
  it('names command, key and database of what somebody else wrote, and the link goes on', async () => {
    await using rehearsal = await Rehearsal.open();
    const life = await listened(rehearsal);
    await using app = await Connection.open(rehearsal.servers.target.endpoint, { name: 'app' });
    await app.pipeline([
      ['SET', 'k', 'theirs'],
      ['SELECT', 3],
      ['SADD', 'new', 'x'],
      ['MULTI'],
      ['SET', 'a', '1'],
      ['INCR', 'b'],
      ['EXEC'],
      ['SELECT', 0],
      ['SET', 'k', 'again'],
    ]);
    await until('a finding', () => life.findings('FOREIGN_WRITE').length > 0);
    await rehearsal.source.call('SET', 'later', '1');
    await rehearsal.drained(life);
    expect(await told(life)).toEqual({
      count: 5,
      samples: [place('k', 0, 'SET'), place('new', 3, 'SADD'), place('a', 3, 'SET'), place('b', 3, 'INCR')],
      complete: true,
    });
    expect(life.findings('FOREIGN_WRITE').at(-1)).toMatchObject({
      severity: 'error',
      evidence: { policy: 'report', possibleWriters: [expect.stringMatching(/name app.*set/)] },
    });
    expect(life.status.handled).toMatchObject({ 'foreign writes': 5 });
    expect(life.states.at(-1)).toBe('Finished');
  });

  it('sees a foreign deletion among keys that expire, and a foreign flush', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source, target } = rehearsal;
    await source.pipeline([
      ['SELECT', 3],
      ['SET', 'k', 'v'],
      ['SELECT', 0],
    ]);
    const life = await listened(rehearsal);
    await target.call('DEL', 'k');
    await until('the deletion', () => life.findings('FOREIGN_WRITE').length > 0);
    expect(life.findings('FOREIGN_WRITE')[0]).toMatchObject({
      evidence: { samples: [{ command: 'DEL', key: '"k"', database: 0 }] },
    });
    await target.call('SELECT', 3);
    await target.call('FLUSHDB');
    await target.call('SELECT', 0);
    expect(await told(life)).toMatchObject({ count: 2 });
  });

  it('costs the target no fork and no snapshot when it has a replica already, and is no replica to its WAIT', async () => {
    await using rehearsal = await Rehearsal.open();
    await using replica = await startReplica(rehearsal.servers.target.endpoint);
    const life = await listened(rehearsal);
    await until(
      'two replicas',
      async () =>
        (await infoOf(rehearsal.servers.target.endpoint, 'replication'))['connected_slaves'] === '2',
    );
    expect(await syncsOf(rehearsal.servers.target.endpoint)).toMatchObject({ full: 1, partial: 1 });
    await using app = await Connection.open(rehearsal.servers.target.endpoint, { name: 'app' });
    await app.call('SET', 'theirs', '1');
    expect(await app.call('WAIT', 2, 1500)).toBe(1);
    expect(await told(life)).toMatchObject({ count: 1 });
    expect((await infoOf(replica.endpoint, 'replication'))['master_link_status']).toBe('up');
  });

  it('goes on listening when its connection is cut: nothing that was written meanwhile is missed', async () => {
    await using rehearsal = await Rehearsal.open();
    const { target } = rehearsal;
    const life = await listened(rehearsal);
    // One transaction: nobody can come back in between.
    await target.pipeline([
      ['MULTI'],
      ['CLIENT', 'KILL', 'TYPE', 'replica'],
      ['SET', 'in the gap', '1'],
      ['EXEC'],
    ]);
    await until('a finding', () => life.findings('FOREIGN_WRITE').length > 0);
    expect((await syncsOf(rehearsal.servers.target.endpoint)).partial).toBeGreaterThan(0);
    expect(await told(life)).toMatchObject({ count: 1, samples: [{ key: '"in the gap"' }] });
  });

  it('does not listen where it would be counted as a replica that must be there, and says so', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source, target, servers } = rehearsal;
    await using replica = await startReplica(servers.target.endpoint);
    await target.call('CONFIG', 'SET', 'min-replicas-to-write', 1);
    await source.call('SET', 'k', 'v');
    const life = rehearsal.start({ foreignWrites: 'report' });
    await life.reaches('Synchronizing');
    await until('a notice', () =>
      life.findings('OUT_OF_SCOPE').some(({ message }) => message.includes('min-replicas')),
    );
    expect((await infoOf(servers.target.endpoint, 'replication'))['connected_slaves']).toBe('1');
    expect(replica.port).toBeGreaterThan(0);
  });
});

describe('fail', () => {
  it('the link stops', async () => {
    await using rehearsal = await Rehearsal.open();
    const life = await listened(rehearsal, { foreignWrites: 'fail' });
    await rehearsal.target.call('SET', 'k', 'theirs');
    const { error } = await life.fails();
    expect(error).toMatchObject({ code: 'POLICY', message: expect.stringContaining('SET "k"') });
    expect(life.findings('FOREIGN_WRITE')).not.toEqual([]);
    // What it had applied stands: the next start goes on from there.
    const next = rehearsal.start({ foreignWrites: 'ignore' });
    await next.reaches('Synchronizing');
    expect(next.syncs).toEqual(['partial']);
  });
});

describe('ignore, as the vendors do, and auto on a target that is not disposable', () => {
  for (const foreignWrites of ['ignore', 'auto'] as const) {
    it(`${foreignWrites}: nobody listens`, async () => {
      await using rehearsal = await Rehearsal.open();
      await rehearsal.source.call('SET', 'k', 'v');
      const life = rehearsal.start({ foreignWrites });
      await life.reaches('Synchronizing');
      await rehearsal.target.call('SET', 'k', 'theirs');
      await life.stop();
      expect((await syncsOf(rehearsal.servers.target.endpoint)).full).toBe(0);
      expect(life.findings('FOREIGN_WRITE')).toEqual([]);
    });
  }
});

it('the checkpoint of an envelope without effect comes alone, and is ours', async () => {
  await using rehearsal = await Rehearsal.open();
  const { source, target } = rehearsal;
  const life = await listened(rehearsal);
  // The source deletes what the target does not have any more: there the envelope has no effect.
  await target.call('DEL', 'k');
  await until('the deletion', () => life.findings('FOREIGN_WRITE').length > 0);
  await source.call('DEL', 'k');
  await rehearsal.drained(life);
  expect(await ask(target, 'EXISTS', `redis-sync:link:${LINK}`)).toBe('1');
  expect(await told(life)).toMatchObject({ count: 1 });
});
