/** A target that throws keys away, and one whose memory settings are changed meanwhile. */
import { describe, expect, it } from 'vitest';
import type { EngineOptions } from '../../../../engine/link/options.ts';
import { ask, LINK, Rehearsal, until, type Life } from '../rehearsal.ts';

const KEYS = 3000;
/** Takes about half of what is written. */
const SMALL = { maxmemory: '3mb', 'maxmemory-policy': 'allkeys-lru' };

const WATCH_MS = 100;

/** A link in sync, whose watch has looked at the target at least once before anything is written. */
async function watched(rehearsal: Rehearsal, engine: Partial<EngineOptions> = {}): Promise<Life> {
  const life = rehearsal.start({ watchMs: WATCH_MS, ...engine });
  await life.reaches('Synchronizing');
  const looks = async (): Promise<number> =>
    Number(/cmdstat_info:calls=(\d+)/.exec(await ask(rehearsal.target, 'INFO', 'commandstats'))?.[1] ?? 0);
  const before = await looks();
  // Our own question counts as well.
  await until('a look at the target', async () => (await looks()) > before + 2);
  return life;
}

async function write(rehearsal: Rehearsal): Promise<void> {
  await rehearsal.source.pipeline(
    Array.from({ length: KEYS }, (_, index) => ['SET', `key:${index}`, 'v'.repeat(1000)]),
  );
}

async function evictedKeys({ target }: Rehearsal): Promise<number> {
  return Number(/evicted_keys:(\d+)/.exec(await ask(target, 'INFO', 'stats'))?.[1]);
}

describe('eviction', () => {
  it('report, as the vendors do: the link goes on, and says how many keys are gone by which policy', async () => {
    await using rehearsal = await Rehearsal.open({ target: SMALL });
    const life = await watched(rehearsal);
    await write(rehearsal);
    await rehearsal.drained(life);
    await until('a finding', () => life.findings('EVICTION').length > 0);
    expect(life.status.state).toBe('Synchronizing');
    expect(life.status.errors).toEqual({});
    await life.stop();
    const evicted = await evictedKeys(rehearsal);
    expect(evicted).toBeGreaterThan(100);
    const told = life.findings('EVICTION').filter(({ severity }) => severity === 'error');
    expect(told.at(-1)).toMatchObject({
      message: expect.stringContaining('allkeys-lru'),
      evidence: { count: evicted, maxmemoryPolicy: 'allkeys-lru', policy: 'report' },
    });
    expect(life.status.handled?.['evicted by the target']).toBe(evicted);
    // The same words every time: a report shows the last ones.
    expect(new Set(told.map(({ message }) => message)).size).toBe(1);
  });

  it('fail: the link stops', async () => {
    await using rehearsal = await Rehearsal.open({ target: SMALL });
    const life = await watched(rehearsal, { eviction: 'fail' });
    await write(rehearsal);
    const { error } = await life.fails();
    expect(error).toMatchObject({ code: 'POLICY', message: expect.stringContaining('evicted') });
    expect(life.findings('EVICTION').length).toBeGreaterThan(0);
  });

  it('of the checkpoint itself does not stop the link: nothing was flushed, so it is written anew', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source, target } = rehearsal;
    const life = await watched(rehearsal);
    for (let round = 1; round <= 3; round++) {
      await source.call('INCR', 'n');
      await rehearsal.drained(life);
      await target.call('DEL', `redis-sync:link:${LINK}`);
    }
    await source.call('INCR', 'n');
    await rehearsal.drained(life);
    expect(await ask(target, 'GET', 'n')).toBe('4');
    expect(await ask(target, 'EXISTS', `redis-sync:link:${LINK}`)).toBe('1');
    expect(life.status.handled).toMatchObject({ 'checkpoint written anew': 3 });
    await life.stop();
    expect(life.findings('EVICTION').at(-1)).toMatchObject({ severity: 'warning', evidence: { count: 3 } });
    // With the fence gone too it may have been a flush: then nobody may go on.
    const next = rehearsal.start();
    await next.reaches('Synchronizing');
    await target.call('DEL', `redis-sync:link:${LINK}`, `redis-sync:fence:${LINK}`);
    await source.call('INCR', 'n');
    expect((await next.fails()).error.message).toContain('lost writes');
    expect(next.findings('NOT_DURABLE')).toMatchObject([{ evidence: { firstLost: 'all' } }]);
  });

  it('is found also when it happens in the last moment', async () => {
    await using rehearsal = await Rehearsal.open({ target: { 'maxmemory-policy': 'allkeys-lru' } });
    const life = await watched(rehearsal);
    await write(rehearsal);
    await rehearsal.drained(life);
    await rehearsal.target.call('CONFIG', 'SET', 'maxmemory', '2mb');
    await until('an eviction', async () => (await evictedKeys(rehearsal)) > 0);
    await life.stop();
    expect(life.findings('EVICTION').some(({ severity }) => severity === 'error')).toBe(true);
  });
});

describe('settings that change meanwhile', () => {
  it('maxmemory-policy and maxmemory: each a notice with both values, once', async () => {
    await using rehearsal = await Rehearsal.open();
    const life = await watched(rehearsal);
    await rehearsal.target.call('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lfu');
    await rehearsal.target.call('CONFIG', 'SET', 'maxmemory', '1gb');
    await until('two notices', () => life.findings('CONFIG_DRIFT').length === 2);
    await life.stop();
    expect(life.findings('CONFIG_DRIFT')).toMatchObject([
      {
        severity: 'notice',
        evidence: { setting: 'maxmemory-policy', before: 'noeviction', now: 'allkeys-lfu' },
      },
      { severity: 'notice', evidence: { setting: 'maxmemory', before: '0', now: String(1024 ** 3) } },
    ]);
  });
});

describe('a target that does not let us look', () => {
  it('costs the watch only, and is said once', async () => {
    await using rehearsal = await Rehearsal.open({ target: SMALL });
    await rehearsal.target.call('ACL', 'SETUSER', 'link', 'on', 'nopass', '~*', '&*', '+@all');
    const target = { ...rehearsal.servers.target.endpoint, username: 'link', password: 'x' };
    const life = rehearsal.start({ watchMs: WATCH_MS }, { target });
    await life.reaches('Synchronizing');
    await rehearsal.target.call('ACL', 'SETUSER', 'link', '-info');
    const lost = (): unknown[] =>
      life.findings('OUT_OF_SCOPE').filter(({ message }) => message.includes('evicts'));
    await until('a notice', () => lost().length > 0);
    await rehearsal.source.call('SET', 'k', 'v');
    await rehearsal.drained(life);
    await life.stop();
    expect(lost()).toMatchObject([{ severity: 'notice', message: expect.stringContaining('INFO') }]);
    expect(await ask(rehearsal.target, 'GET', 'k')).toBe('v');
    expect(life.states.at(-1)).toBe('Finished');
  });
});
