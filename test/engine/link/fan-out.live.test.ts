/** One source, several targets: one replica in its eyes, and what happens to one target is nobody else's business. */
import { describe, expect, it } from 'vitest';
import type { Connection } from '../../../engine/connect/connection.ts';
import { Field, reaches, statusIn } from './field.ts';
import { ask, until } from './rehearsal.ts';
import { Process } from './replicator-life.ts';

const TARGETS = ['b', 'c', 'd'] as const;

async function write(source: Connection, rounds: number, bytes = 10): Promise<void> {
  await source.pipeline(
    Array.from({ length: rounds }, (_, round) => [
      ['INCR', 'counter'],
      ['RPUSH', `list:${round % 7}`, 'x'.repeat(bytes)],
    ]).flat(),
  );
}

describe('fan-out', () => {
  it('costs the source one full sync and one connection; a late target one of its own, for a while', async () => {
    await using field = await Field.open(['a', 'b', 'c', 'd', 'e']);
    const source = field.at.a;
    await write(source, 500);
    const life = field.start(field.options('a', TARGETS));
    await write(source, 100);
    for (const target of TARGETS) await field.drained(life, 'a', `a-${target}`);
    expect(await field.info('a', 'stats')).toMatchObject({ sync_full: '1' });
    expect(await field.info('a', 'replication')).toMatchObject({ connected_slaves: '1' });
    life.replicator.join({ id: 'a-e', target: field.endpoint('e') });
    await reaches(life, 'a-e', 'Synchronizing');
    await until('one connection again', async () => {
      await write(source, 3);
      return (await field.info('a', 'replication'))['connected_slaves'] === '1';
    });
    await write(source, 100);
    for (const target of [...TARGETS, 'e'] as const) {
      await field.drained(life, 'a', `a-${target}`);
      expect(await field.differences('a', target)).toEqual([]);
    }
    expect(await field.info('a', 'stats')).toMatchObject({ sync_full: '2', sync_partial_ok: '0' });
    expect(life.of('link-state').filter(({ to }) => to === 'Retrying')).toEqual([]);
  });

  it('a target that stands still, or is not there, holds up nobody; at the limit of the log it ends alone', async () => {
    await using field = await Field.open(['a', 'b', 'c', 'd']);
    await field.servers.d.stop();
    const limits = { logMemoryBytes: 64 * 1024, logDiskBytes: 8 * 1024 * 1024, retryMs: 60_000 };
    const life = field.start(field.options('a', TARGETS, limits));
    await reaches(life, 'a-b', 'Synchronizing');
    await reaches(life, 'a-c', 'Synchronizing');
    await field.at.b.call('CLIENT', 'PAUSE', 60_000, 'ALL');
    await write(field.at.a, 4000, 1000);
    await field.drained(life, 'a', 'a-c');
    expect(statusIn(life, 'a-b').lagBytes).toBeGreaterThan(3_000_000);
    expect(statusIn(life, 'a-c').log.diskBytes).toBeGreaterThan(500_000);
    for (let round = 0; life.failure === undefined && round < 40; round++) {
      await write(field.at.a, 1000, 1000);
      await field.drained(life, 'a', 'a-c');
    }
    expect(life.of('link-failed')).toMatchObject([{ link: 'a-b', error: { code: 'LOG_FULL' } }]);
    await write(field.at.a, 10);
    await field.drained(life, 'a', 'a-c');
    expect(await field.differences('a', 'c')).toEqual([]);
    expect(statusIn(life, 'a-c')).toMatchObject({ state: 'Synchronizing', log: { diskBytes: 0 } });
    expect(statusIn(life, 'a-d').state).toBe('Retrying');
    expect(await field.info('a', 'stats')).toMatchObject({ sync_full: '1' });
  });

  it('killed and started again with targets at different places: each has everything exactly once', async () => {
    await using field = await Field.open(['a', 'b', 'c', 'd'], { 'repl-backlog-size': '64mb' });
    const source = field.at.a;
    const options = field.options('a', TARGETS, { envelopeCommands: 40 });
    const syncs: string[] = [];
    await write(source, 1);
    for (let life = 0; life < 2; life++) {
      await using engine = new Process(options);
      await until('three in sync', () => engine.says('sync-finished') === 3);
      await field.at.b.call('CLIENT', 'PAUSE', 60_000, 'WRITE');
      const before = Number(await ask(field.at.c, 'GET', 'counter'));
      await write(source, 400);
      await until(
        'c is ahead of b',
        async () => Number(await ask(field.at.c, 'GET', 'counter')) > before + 40,
      );
      await engine.kill();
      await field.at.b.call('CLIENT', 'UNPAUSE');
      syncs.push(...engine.syncs);
    }
    await using last = new Process(options);
    const counter = await ask(source, 'GET', 'counter');
    for (const target of TARGETS)
      await until(
        `${target} has all`,
        async () => (await ask(field.at[target], 'GET', 'counter')) === counter,
      );
    for (const target of TARGETS) expect(await field.differences('a', target)).toEqual([]);
    expect(last.says('link-failed')).toBe(0);
    expect(syncs).toEqual(['full', 'full', 'full', ...Array.from({ length: 3 }, () => 'partial')]);
    expect(await field.info('a', 'stats')).toMatchObject({ sync_full: '1', sync_partial_ok: '2' });
  });
});
