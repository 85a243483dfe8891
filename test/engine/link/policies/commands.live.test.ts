/** Flushes, swaps, messages and commands the target does not take: what each policy makes of them on real servers. */
import { describe, expect, it } from 'vitest';
import { Connection } from '../../../../engine/connect/connection.ts';
import type { EngineOptions } from '../../../../engine/link/options.ts';
import { ask, LINK, Rehearsal, until, type Life } from '../rehearsal.ts';

const CHECKPOINT = `redis-sync:link:${LINK}`;

/** A link in sync; keys `a` and `b` in databases 0 and 3 on both sides. */
async function inSync(rehearsal: Rehearsal, engine: Partial<EngineOptions>): Promise<Life> {
  await rehearsal.source.pipeline([
    ['SET', 'a', '1'],
    ['SELECT', 3],
    ['SET', 'b', '1'],
    ['SELECT', 0],
  ]);
  const life = rehearsal.start(engine);
  await life.reaches('Synchronizing');
  return life;
}

/** Names of the keys of a database of the target, without the engine's own. */
async function keysOf({ target }: Rehearsal, database: number): Promise<string[]> {
  const replies = await target.pipeline([
    ['SELECT', database],
    ['KEYS', '*'],
    ['SELECT', 0],
  ]);
  const keys = Array.isArray(replies[1]) ? replies[1].map(String) : [];
  return keys.filter((key) => !key.startsWith('redis-sync:')).toSorted();
}

/** What a subscriber on the target hears while these are published on the source. */
async function heard(rehearsal: Rehearsal, life: Life, ...published: string[][]): Promise<string[]> {
  await using subscriber = await Connection.open(rehearsal.servers.target.endpoint);
  // One RESP2 reply per pattern, then one push per message, in order: the marker is the last.
  const messages = subscriber.pipelineRaw(Buffer.from('*2\r\n$10\r\nPSUBSCRIBE\r\n$1\r\n*\r\n'), 2);
  await until('a subscriber', async () => (await ask(rehearsal.target, 'PUBSUB', 'NUMPAT')) === '1');
  await rehearsal.source.pipeline(published);
  await rehearsal.drained(life);
  await rehearsal.target.call('PUBLISH', 'marker', 'end');
  const [, first] = await messages;
  return Array.isArray(first) ? first.slice(2).map(String) : [];
}

describe('flush', () => {
  it('fail: the link stops before it, applies what came before, and says where and when', async () => {
    await using rehearsal = await Rehearsal.open();
    const life = await inSync(rehearsal, { flush: 'fail' });
    const beforeMs = Date.now();
    await rehearsal.source.pipeline([
      ['SET', 'c', '1'],
      ['SELECT', 3],
      ['FLUSHDB'],
      ['SELECT', 0],
      ['SET', 'd', '1'],
    ]);
    const { error } = await life.fails();
    expect(error).toMatchObject({ code: 'POLICY', message: expect.stringContaining('FLUSHDB') });
    expect(life.status.state).toBe('Failed');
    expect(await keysOf(rehearsal, 0)).toEqual(['a', 'c']);
    expect(await keysOf(rehearsal, 3)).toEqual(['b']);
    const [finding] = life.findings('FLUSH');
    expect(finding).toMatchObject({
      severity: 'error',
      evidence: { command: 'FLUSHDB', database: 3, policy: 'fail', offset: expect.stringMatching(/^\d+$/) },
    });
    const at = Date.parse(String(finding?.evidence['at']));
    expect(at).toBeGreaterThanOrEqual(beforeMs);
    expect(at).toBeLessThanOrEqual(Date.now());

    // Somebody decides that it may go through: nothing was skipped, the next start begins with it.
    const next = rehearsal.start({ flush: 'propagate' });
    await next.reaches('Synchronizing');
    await rehearsal.drained(next);
    expect(next.syncs).toEqual(['partial']);
    expect(await rehearsal.differences()).toEqual([]);
  });

  it('ignore, as the vendors do: the target keeps its keys, and later writes go on', async () => {
    await using rehearsal = await Rehearsal.open();
    const life = await inSync(rehearsal, { flush: 'ignore' });
    await rehearsal.source.pipeline([['FLUSHALL'], ['SET', 'd', '1']]);
    await rehearsal.drained(life);
    expect(await keysOf(rehearsal, 0)).toEqual(['a', 'd']);
    expect(await keysOf(rehearsal, 3)).toEqual(['b']);
    expect(life.status.dropped).toEqual({ flushall: 1 });
    expect(life.findings('FLUSH')).toMatchObject([
      { severity: 'error', evidence: { command: 'FLUSHALL', policy: 'ignore' } },
    ]);
  });

  it('propagate: the target is flushed, the checkpoint is not lost, and the link resumes from it', async () => {
    await using rehearsal = await Rehearsal.open();
    const life = await inSync(rehearsal, { flush: 'propagate' });
    await rehearsal.source.pipeline([['SET', 'c', '1'], ['FLUSHALL'], ['INCR', 'n']]);
    await rehearsal.drained(life);
    expect(await rehearsal.differences()).toEqual([]);
    expect(await keysOf(rehearsal, 3)).toEqual([]);
    expect(life.status.handled).toMatchObject({ flushall: 1 });
    expect(life.findings('FLUSH')).toMatchObject([{ severity: 'warning' }]);
    await life.stop();
    const next = rehearsal.start({ flush: 'propagate' });
    await next.reaches('Synchronizing');
    await rehearsal.source.call('INCR', 'n');
    await rehearsal.drained(next);
    expect(next.syncs).toEqual(['partial']);
    expect(await ask(rehearsal.target, 'GET', 'n')).toBe('2');
  });

  it('propagate: never over data of another link, nor over data that was there before', async () => {
    for (const foreign of [
      ['HSET', 'redis-sync:link:other', 'replid', 'x', 'offset', '1'],
      ['SET', 'theirs', '1'],
    ]) {
      await using rehearsal = await Rehearsal.open();
      if (foreign[0] === 'SET') await rehearsal.target.call(...foreign);
      const life = await inSync(rehearsal, { flush: 'propagate', existing: 'merge' });
      if (foreign[0] === 'HSET') await rehearsal.target.call(...foreign);
      await rehearsal.source.pipeline([['FLUSHALL']]);
      const { error } = await life.fails();
      expect(error).toMatchObject({ code: 'POLICY', message: expect.stringContaining('must not reach') });
      expect(await keysOf(rehearsal, 0)).toContain('a');
      expect(await ask(rehearsal.target, 'EXISTS', foreign[1] ?? '')).toBe('1');
    }
  });
});

describe('swapdb', () => {
  it('propagate: both databases change places, the checkpoint stays where it is', async () => {
    await using rehearsal = await Rehearsal.open();
    const life = await inSync(rehearsal, {});
    await rehearsal.source.pipeline([
      ['INCR', 'n'],
      ['SWAPDB', 0, 3],
      ['INCR', 'n'],
    ]);
    await rehearsal.drained(life);
    expect(await rehearsal.differences()).toEqual([]);
    expect(await keysOf(rehearsal, 3)).toEqual(['a', 'n']);
    expect(life.status.handled).toMatchObject({ swapdb: 1 });
    expect(await ask(rehearsal.target, 'EXISTS', CHECKPOINT)).toBe('1');
    await rehearsal.target.call('SELECT', 3);
    expect(await ask(rehearsal.target, 'EXISTS', CHECKPOINT)).toBe('0');
    await rehearsal.target.call('SELECT', 0);
    await life.stop();
    const next = rehearsal.start();
    await next.reaches('Synchronizing');
    await rehearsal.drained(next);
    expect(next.syncs).toEqual(['partial']);
    expect(await rehearsal.differences()).toEqual([]);
  });

  it('fail: the link stops before it', async () => {
    await using rehearsal = await Rehearsal.open();
    const life = await inSync(rehearsal, { swapdb: 'fail' });
    await rehearsal.source.pipeline([
      ['SET', 'c', '1'],
      ['SWAPDB', 0, 3],
    ]);
    const { error } = await life.fails();
    expect(error).toMatchObject({ code: 'POLICY', message: expect.stringContaining('SWAPDB') });
    expect(await keysOf(rehearsal, 0)).toEqual(['a', 'c']);
    expect(life.findings('UNSUPPORTED_COMMAND')).toMatchObject([{ evidence: { command: 'SWAPDB' } }]);
  });
});

describe('publish', () => {
  const SPOKEN = [
    ['PUBLISH', '__sentinel__:hello', '127.0.0.1,26379,id,0,main,127.0.0.1,6379,0'],
    ['PUBLISH', 'news', 'm'],
  ];

  it('drop: nobody on the target hears anything, and each message is counted', async () => {
    await using rehearsal = await Rehearsal.open();
    const life = await inSync(rehearsal, {});
    expect(await heard(rehearsal, life, ...SPOKEN)).toEqual(['marker', 'end']);
    expect(life.status.dropped).toEqual({ publish: 2 });
    expect(life.of('finding')).toEqual([]);
  });

  it('forward: subscribers of the target hear the message, never what a Sentinel says of the source', async () => {
    await using rehearsal = await Rehearsal.open();
    const life = await inSync(rehearsal, { publish: 'forward' });
    expect(await heard(rehearsal, life, ...SPOKEN)).toEqual(['news', 'm']);
    expect(life.status.dropped).toEqual({ publish: 1 });
    expect(life.status.handled).toEqual({ publish: 1 });
  });
});

describe('unsupported', () => {
  /** A target that does not know SETBIT: the command is renamed away, which is how a managed service disables one. */
  const WITHOUT_SETBIT = { target: { 'rename-command': 'SETBIT set-bit-is-disabled' } };

  it('fail: the link stops before the command, with everything in front applied', async () => {
    await using rehearsal = await Rehearsal.open(WITHOUT_SETBIT);
    const life = await inSync(rehearsal, {});
    await rehearsal.source.pipeline([
      ['SET', 'c', '1'],
      ['SETBIT', 'bits', 7, 1],
      ['SET', 'd', '1'],
    ]);
    const { error } = await life.fails();
    expect(error).toMatchObject({ code: 'POLICY', message: expect.stringContaining('SETBIT') });
    expect(await keysOf(rehearsal, 0)).toEqual(['a', 'c']);
  });

  it('skip: the command is quarantined: left out, counted, listed by its keys; everything else goes on', async () => {
    await using rehearsal = await Rehearsal.open(WITHOUT_SETBIT);
    const life = await inSync(rehearsal, { unsupported: 'skip' });
    await rehearsal.source.pipeline(
      Array.from({ length: 30 }, (_, index) => [
        ['SETBIT', `bits:${index}`, 7, 1],
        ['INCR', 'n'],
      ]).flat(),
    );
    await rehearsal.drained(life);
    expect(await keysOf(rehearsal, 0)).toEqual(['a', 'n']);
    expect(await ask(rehearsal.target, 'GET', 'n')).toBe('30');
    expect(life.status.dropped).toEqual({ unsupported: 30 });
    await life.stop();
    const last = life.findings('UNSUPPORTED_COMMAND').at(-1);
    expect(last).toMatchObject({
      severity: 'error',
      message: expect.stringContaining('SETBIT'),
      evidence: { command: 'SETBIT', count: 30, complete: false },
    });
    expect(last?.evidence['samples']).toHaveLength(20);
    expect(last?.evidence['samples']).toContainEqual({
      key: '"bits:0"',
      keyBase64: Buffer.from('bits:0').toString('base64'),
      database: 0,
    });
  });
});
