/** A target that runs out of memory: refused writes, under each policy. */
import { describe, expect, it } from 'vitest';
import { ask, Rehearsal, until, type Life } from '../rehearsal.ts';

const OOM = { 'maxmemory-policy': 'noeviction' };
const ROUNDS = 200;

/** No write fits any more. */
async function fillUp({ target }: Rehearsal): Promise<void> {
  await target.call('CONFIG', 'SET', 'maxmemory', '1');
}

async function giveMemory({ target }: Rehearsal): Promise<void> {
  await target.call('CONFIG', 'SET', 'maxmemory', '0');
}

/** Writes that only come out right when each is applied once, in order. */
async function write({ source }: Rehearsal): Promise<void> {
  await source.pipeline(
    Array.from({ length: ROUNDS }, (_, index) => [
      ['INCR', 'n'],
      ['RPUSH', 'l', index],
    ]).flat(),
  );
}

async function refused(life: Life): Promise<void> {
  await until(
    () => `a refusal: ${life.describe()}`,
    () => life.findings('OOM').length > 0,
  );
}

describe('oom in the stream', () => {
  it('wait: the same again in order until there is memory; nothing is lost, nothing twice', async () => {
    await using rehearsal = await Rehearsal.open({ target: OOM });
    const { source, target } = rehearsal;
    const life = rehearsal.start();
    await life.reaches('Synchronizing');
    await source.call('SET', 'before', '1');
    await rehearsal.drained(life);
    const applied = life.status.appliedOffset;
    await fillUp(rehearsal);
    await write(rehearsal);
    await refused(life);
    await life.reaches('Retrying');
    expect(life.status.appliedOffset).toBe(applied);
    expect(await target.call('EXISTS', 'n', 'l')).toBe(0);
    await giveMemory(rehearsal);
    await rehearsal.drained(life);
    expect(await rehearsal.differences()).toEqual([]);
    expect(await ask(target, 'GET', 'n')).toBe(String(ROUNDS));
    expect(life.states.slice(-2)).toEqual(['Retrying', 'Synchronizing']);
    expect(life.status.handled?.['retried OOM']).toBeGreaterThan(0);
    expect(life.findings('OOM')).toMatchObject([
      {
        severity: 'error',
        evidence: {
          shard: `127.0.0.1:${rehearsal.servers.target.port}`,
          phase: 'stream',
          command: 'INCR',
          key: '"n"',
          database: 0,
          offset: applied,
          policy: 'wait',
        },
      },
    ]);
  });

  it('says so again when it happens again', async () => {
    await using rehearsal = await Rehearsal.open({ target: OOM });
    const life = rehearsal.start();
    await life.reaches('Synchronizing');
    for (let time = 1; time <= 2; time++) {
      await fillUp(rehearsal);
      await write(rehearsal);
      await until(`refusal ${time}`, () => life.findings('OOM').length === time);
      await giveMemory(rehearsal);
      await rehearsal.drained(life);
    }
    expect(life.findings('OOM')).toHaveLength(2);
  });

  it('fail, as the vendors do: Failed at once, and resumed with zero missing keys once there is memory', async () => {
    await using rehearsal = await Rehearsal.open({ target: OOM });
    const { source, target } = rehearsal;
    const life = rehearsal.start({ oom: 'fail' });
    await life.reaches('Synchronizing');
    await source.call('SET', 'before', '1');
    await rehearsal.drained(life);
    await fillUp(rehearsal);
    await write(rehearsal);
    const { error } = await life.fails();
    expect(error).toMatchObject({
      code: 'APPLY_REFUSED',
      message: expect.stringMatching(/OOM.*policy: fail/),
      hint: expect.stringContaining('nothing is lost'),
    });
    expect(life.status.state).toBe('Failed');
    expect(life.findings('OOM')).toMatchObject([{ evidence: { command: 'INCR', policy: 'fail' } }]);
    expect(await target.call('EXISTS', 'n', 'l')).toBe(0);
    await giveMemory(rehearsal);
    const next = rehearsal.start({ oom: 'fail' });
    await next.reaches('Synchronizing');
    await rehearsal.drained(next);
    expect(next.syncs).toEqual(['partial']);
    expect(await rehearsal.differences()).toEqual([]);
  });
});

describe('oom in the full sync', () => {
  for (const policy of ['wait', 'fail'] as const) {
    it(`${policy}: ${policy === 'wait' ? 'goes on' : 'stops, and begins anew'} once there is memory`, async () => {
      // Enough to begin with, not enough for everything.
      await using rehearsal = await Rehearsal.open({ target: { ...OOM, maxmemory: '3mb' } });
      await rehearsal.source.call('DEBUG', 'POPULATE', 6000, 'key', 500);
      const life = rehearsal.start({ oom: policy });
      await refused(life);
      expect(life.findings('OOM')).toMatchObject([
        {
          evidence: { phase: 'full sync', command: 'RESTORE', key: expect.stringContaining('key:'), policy },
        },
      ]);
      if (policy === 'fail') await life.fails();
      await giveMemory(rehearsal);
      const finished = policy === 'wait' ? life : rehearsal.start({ oom: policy });
      await finished.reaches('Synchronizing');
      await rehearsal.drained(finished);
      expect(life.syncs).toEqual(['full']);
      expect(await rehearsal.differences()).toEqual([]);
    });
  }
});
