/** Connections to the target break at any moment: nothing is lost and nothing applied twice. */
import { describe, expect, it } from 'vitest';
import type { Argument, Connection } from '../../../engine/connect/connection.ts';
import { Random } from '../../../scenarios/data/random.ts';
import { CuttingProxy, type Cut } from '../../support/cutting-proxy.ts';
import { startServer } from '../../support/server.ts';
import { ask, LINK, Rehearsal, until } from './rehearsal.ts';

/** Writes that show every repetition and every omission. */
function ledgered(value: number): Argument[][] {
  return [
    ['INCR', 'counter'],
    ['RPUSH', 'list', value],
    ['APPEND', 'string', `${value},`],
    ['XADD', 'stream', '*', 'n', value],
    ['ZINCRBY', 'zset', 1, 'member'],
    ['MULTI'],
    ['INCRBY', 'pair:a', value],
    ['LPUSH', 'pair:b', value],
    ['EXEC'],
    ['LPOP', 'pair:b'],
  ];
}

/** Writes to the source until told to end; the number of rounds written. */
async function writeUntil(source: Connection, signal: AbortSignal): Promise<number> {
  let round = 0;
  while (!signal.aborted) {
    await source.pipeline(Array.from({ length: 10 }, () => ledgered(round++)).flat());
    await new Promise((resolve) => setImmediate(resolve));
  }
  return round;
}

/** Places a cut on the link's connection to its target at a place in one envelope, and looks what came of it. */
async function cutOnce(cut: Cut): Promise<{ counter: string; list: string; late: number; drops: number }> {
  await using rehearsal = await Rehearsal.open();
  const { source, target } = rehearsal;
  await using proxy = await CuttingProxy.start(rehearsal.servers.target.endpoint);
  const life = rehearsal.start({}, { target: proxy.endpoint });
  await life.reaches('Synchronizing');
  // The first envelope claims the connection; the cut is for the second.
  await source.pipeline([
    ['INCR', 'counter'],
    ['RPUSH', 'list', 'a'],
  ]);
  await rehearsal.drained(life);
  await until('one connection through the proxy', () => proxy.live === 1);
  expect(proxy.arm(cut)).toBe(true);
  await source.pipeline([['MULTI'], ['INCR', 'counter'], ['RPUSH', 'list', 'b'], ['EXEC']]);
  await until('the cut', () => proxy.counters.drops + proxy.counters.late === 1);
  await rehearsal.drained(life);
  await source.pipeline([
    ['INCR', 'counter'],
    ['RPUSH', 'list', 'c'],
  ]);
  await rehearsal.drained(life);
  expect(await rehearsal.differences()).toEqual([]);
  const { late, drops } = proxy.counters;
  return {
    counter: await ask(target, 'GET', 'counter'),
    list: await ask(target, 'LRANGE', 'list', 0, -1),
    late,
    drops,
  };
}

describe('exactly once', () => {
  it('while the target ends our connection again and again', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source, target } = rehearsal;
    const random = new Random(1, 'kills');
    const life = rehearsal.start({ envelopeCommands: 50 });
    await life.reaches('Synchronizing');
    const controller = new AbortController();
    const writing = writeUntil(source, controller.signal);
    while (life.status.retries < 12) {
      await new Promise((resolve) => setTimeout(resolve, random.between(1, 60)));
      await target.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    }
    controller.abort();
    const rounds = await writing;
    await rehearsal.drained(life);
    expect(await ask(target, 'GET', 'counter')).toBe(String(rounds));
    expect(await ask(target, 'LLEN', 'list')).toBe(String(rounds));
    expect(await rehearsal.differences()).toEqual([]);
    expect(life.syncs).toEqual(['full']);
  });

  it('while the target ends our connection during the full sync', async () => {
    await using rehearsal = await Rehearsal.open({ source: { 'rdb-key-save-delay': '100' } });
    const { source, target } = rehearsal;
    await source.pipeline(
      Array.from({ length: 5000 }, (_, index) => ['RPUSH', `list:${index}`, index, 'x'.repeat(index % 100)]),
    );
    const life = rehearsal.start();
    let kills = 0;
    while (life.status.state !== 'Synchronizing') {
      if (life.failure) throw new Error(life.failure.error.message);
      await new Promise((resolve) => setTimeout(resolve, 10));
      if (life.status.snapshot.bytes > 0)
        kills += Number(await ask(target, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'));
    }
    expect(kills).toBeGreaterThan(3);
    await rehearsal.drained(life);
    expect(await rehearsal.differences()).toEqual([]);
  });

  const WHOLE = { counter: '3', list: 'a b c' };

  it('the reply of EXEC is lost: applied, so it is not sent again', async () => {
    expect(await cutOnce({ kind: 'drop', direction: 'reply', afterBytes: 0 })).toMatchObject({
      ...WHOLE,
      drops: 1,
    });
  });

  it('the EXEC is lost: not applied, so it is sent again', async () => {
    // Anywhere in the envelope: in MULTI, in the checkpoint, in a command, in EXEC, in the WATCH behind it.
    for (const afterBytes of [0, 1, 10, 60, 120, 200, 240, 262]) {
      expect(await cutOnce({ kind: 'drop', direction: 'request', afterBytes })).toMatchObject({
        ...WHOLE,
        drops: 1,
      });
    }
  });

  it('the EXEC arrives when we have long come back on another connection: it does nothing', async () => {
    for (const afterBytes of [0, 200]) {
      const seen = await cutOnce({ kind: 'late', afterBytes, holdMs: 30, lateMs: 150 });
      expect(seen).toMatchObject({ ...WHOLE, late: 1 });
    }
  });

  it('two processes with the same link: one of them stops, and nothing is applied twice', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source, target } = rehearsal;
    const first = rehearsal.start();
    await first.reaches('Synchronizing');
    await source.pipeline(ledgered(1));
    await rehearsal.drained(first);
    const second = rehearsal.start({});
    await second.reaches('Synchronizing');
    for (let round = 2; round <= 200 && !(first.failure ?? second.failure); round++) {
      await source.pipeline(ledgered(round));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const rest = first.failure ? second : first;
    await rehearsal.drained(rest);
    expect(await rehearsal.differences()).toEqual([]);
    expect(await ask(target, 'HGET', `redis-sync:link:${LINK}`, 'offset')).toBe(rest.status.appliedOffset);
    const stopped = first.failure ?? second.failure;
    expect([undefined, 'APPLY_REFUSED']).toContain(stopped?.error.code);
  });

  it('somebody flushes the target behind our back: the link stops and says so', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source, target } = rehearsal;
    const life = rehearsal.start();
    await life.reaches('Synchronizing');
    await source.call('INCR', 'counter');
    await rehearsal.drained(life);
    await target.call('FLUSHALL');
    await source.call('INCR', 'counter');
    expect((await life.fails()).error).toMatchObject({
      code: 'APPLY_REFUSED',
      message: expect.stringContaining('lost writes'),
    });
    expect(await ask(target, 'EXISTS', 'counter')).toBe('0');
  });

  it('the target restarts without its data: the link stops instead of going on', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source } = rehearsal;
    const life = rehearsal.start();
    await life.reaches('Synchronizing');
    await source.call('INCR', 'counter');
    await rehearsal.drained(life);
    await rehearsal.servers.target.stop();
    await using again = await startServer({ port: String(rehearsal.servers.target.port) });
    expect(again.endpoint).toEqual(rehearsal.servers.target.endpoint);
    await source.call('INCR', 'counter');
    expect((await life.fails()).error).toMatchObject({
      code: 'APPLY_REFUSED',
      hint: expect.stringContaining('Start the link again'),
    });
  });
});
