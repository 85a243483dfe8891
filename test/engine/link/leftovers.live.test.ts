/** What a replicator process leaves when it is killed, or abandoned by its parent: nothing that stays. */
import { describe, expect, it } from 'vitest';
import { CuttingProxy } from '../../support/cutting-proxy.ts';
import { ask, LINK, Rehearsal, until } from './rehearsal.ts';
import { optionsFor, Process } from './replicator-life.ts';

describe('a replicator process', () => {
  it('that is killed: the next one removes its files, and its last bytes do no harm when they come late', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source, target } = rehearsal;
    await using proxy = await CuttingProxy.start(rehearsal.servers.target.endpoint);
    const first = {
      ...optionsFor(rehearsal, { logMemoryBytes: 0, heartbeatMs: 0 }),
      links: [{ id: LINK, target: proxy.endpoint }],
    };
    await using killed = new Process(first);
    await until('in sync', () => killed.says('sync-finished') > 0);
    await source.pipeline([['INCR', 'counter']]);
    await until('one counted', async () => (await ask(target, 'GET', 'counter')) === '1');
    proxy.arm({ kind: 'late', afterBytes: 0, holdMs: 1200, lateMs: 400 });
    await source.pipeline([
      ['INCR', 'counter'],
      ['RPUSH', 'list', 'a'],
      ...Array.from({ length: 200 }, (_, index) => ['SET', `noise:${index}`, 'n'.repeat(1000)]),
    ]);
    await until('its segments are on disk', async () => (await rehearsal.spooled()).length > 0);
    await until('its bytes are held back', () => proxy.live === 0);
    await killed.kill();
    expect(await rehearsal.spooled()).not.toEqual([]);
    await using next = new Process(optionsFor(rehearsal));
    await until('the next one in sync', () => next.says('sync-finished') > 0);
    await until('caught up', async () => (await ask(target, 'GET', 'counter')) === '2');
    expect(await rehearsal.spooled()).toEqual([]);
    await until('the late bytes', () => proxy.counters.late === 1);
    expect(proxy.counters.lateBytes).toBeGreaterThan(100);
    await source.call('INCR', 'counter');
    await until('three', async () => (await ask(target, 'GET', 'counter')) === '3');
    expect(await ask(target, 'LRANGE', 'list', 0, -1)).toBe('a');
    expect(next.says('link-failed')).toBe(0);
  });

  it('whose parent is gone ends by itself, with everything received applied', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source } = rehearsal;
    await using engine = new Process(optionsFor(rehearsal, { heartbeatMs: 0 }));
    await until('in sync', () => engine.says('sync-finished') > 0);
    await source.pipeline(Array.from({ length: 1000 }, (_, index) => ['RPUSH', 'list', index]));
    const offset = await rehearsal.sourceOffset();
    await until('received', () => BigInt(engine.status?.receivedOffset ?? '-1') >= offset);
    await engine.abandon();
    expect(await rehearsal.differences()).toEqual([]);
    expect(await rehearsal.spooled()).toEqual([]);
  });
});
