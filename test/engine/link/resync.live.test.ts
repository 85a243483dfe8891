/** What a link does when its connection to the source breaks: it continues, or it copies everything again and reconciles. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Argument, Connection } from '../../../engine/connect/connection.ts';
import { startServer } from '../../support/server.ts';
import { ask, LINK, Rehearsal, type Life, until } from './rehearsal.ts';

const SMALL_BACKLOG = { 'repl-backlog-size': '16384', 'client-output-buffer-limit': 'replica 0 0 0' };

/** Disconnects the replica and writes more than the backlog holds before it can come back: its place is gone. */
async function outrunBacklog(source: Connection, ...between: Argument[][]): Promise<void> {
  const noise = Array.from({ length: 40 }, (_, index) => ['SET', `noise:${index}`, 'n'.repeat(1000)]);
  await source.pipeline([['MULTI'], ['CLIENT', 'KILL', 'TYPE', 'replica'], ...between, ...noise, ['EXEC']]);
}

async function synced(rehearsal: Rehearsal, engine: Parameters<Rehearsal['start']>[0] = {}): Promise<Life> {
  const life = rehearsal.start(engine);
  await life.reaches('Synchronizing');
  return life;
}

/** A kilobyte that a snapshot cannot make smaller, so that it takes its time on the wire. */
function incompressible(index: number): Buffer {
  const parts = Array.from({ length: 16 }, (_, part) =>
    createHash('sha512').update(`${index}.${part}`).digest(),
  );
  return Buffer.concat(parts);
}

function fill(from: number, to: number): Argument[][] {
  return Array.from({ length: to - from }, (_, index) => ['SET', `key:${from + index}`, 'v']);
}

describe('a broken connection to the source', () => {
  it('continues with what was written meanwhile, and copies nothing again', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source } = rehearsal;
    const life = await synced(rehearsal);
    for (let round = 1; round <= 5; round++) {
      await source.pipeline([
        ['INCR', 'n'],
        ['CLIENT', 'KILL', 'TYPE', 'replica'],
        ['INCR', 'n'],
        ['SELECT', 11],
        ['RPUSH', 'l', round],
        ['SELECT', 0],
      ]);
      await rehearsal.drained(life);
    }
    expect(await rehearsal.differences()).toEqual([]);
    expect(life.syncs).toEqual(['full', 'partial', 'partial', 'partial', 'partial', 'partial']);
    expect(life.status).toMatchObject({ partialResyncs: 5, fullResyncs: 1 });
    expect(life.states.slice(0, 4)).toEqual(['Initializing', 'Synchronizing', 'Retrying', 'Synchronizing']);
    expect(life.findings('FULL_RESYNC')).toEqual([]);
  });

  it('backlog outrun: exactly one full sync, no stale key, no list twice, and the checkpoint in the new history', async () => {
    await using rehearsal = await Rehearsal.open({ source: SMALL_BACKLOG });
    const { source, target } = rehearsal;
    await source.pipeline([
      ['RPUSH', 'list', 'a', 'b'],
      ['SET', 'stale', '1'],
      ['SET', 'kept', '1'],
      ['SELECT', 12],
      ['SET', 'stale', '1'],
      ['SET', 'kept', '2'],
      ['SELECT', 5],
      ['SET', 'only key of its database', '1'],
      ['SELECT', 0],
      ['FUNCTION', 'LOAD', '#!lua name=stale\nredis.register_function("f", function() return 1 end)'],
      ['FUNCTION', 'LOAD', '#!lua name=kept\nredis.register_function("g", function() return 1 end)'],
    ]);
    const life = await synced(rehearsal);
    await outrunBacklog(
      source,
      ['DEL', 'stale'],
      ['FUNCTION', 'DELETE', 'stale'],
      ['SELECT', 12],
      ['DEL', 'stale'],
      ['SELECT', 5],
      ['DEL', 'only key of its database'],
      ['SELECT', 0],
      ['RPUSH', 'list', 'c'],
    );
    await until('a second full sync', () => life.of('sync-finished').length === 2);
    await source.pipeline([
      ['RPUSH', 'list', 'd'],
      ['INCR', 'n'],
    ]);
    await rehearsal.drained(life);
    expect(await rehearsal.differences()).toEqual([]);
    expect(await ask(target, 'LRANGE', 'list', 0, -1)).toBe('a b c d');
    expect(life.syncs).toEqual(['full', 'full']);
    expect(life.findings('FULL_RESYNC')).toMatchObject([
      {
        severity: 'warning',
        evidence: {
          keysRemoved: 3,
          librariesRemoved: 1,
          reconciled: true,
          cause: expect.stringContaining('could not continue'),
        },
      },
    ]);
    await life.stop();
    expect(await rehearsal.spooled()).toEqual([]);
    expect(await ask(target, 'EXISTS', `redis-sync:loading:${LINK}`)).toBe('0');
    // What it left is a place to continue from.
    const next = await synced(rehearsal);
    expect(next.syncs).toEqual(['partial']);
  });

  it('reconciles also when the outrun happened while no engine ran', async () => {
    await using rehearsal = await Rehearsal.open({ source: SMALL_BACKLOG });
    const { source } = rehearsal;
    await source.pipeline([
      ['RPUSH', 'list', 'a'],
      ['SET', 'stale', '1'],
    ]);
    await (await synced(rehearsal)).stop();
    await outrunBacklog(source, ['DEL', 'stale'], ['RPUSH', 'list', 'b']);
    const life = await synced(rehearsal);
    expect(life.syncs).toEqual(['full']);
    expect(await rehearsal.differences()).toEqual([]);
    expect(life.findings('FULL_RESYNC')).toMatchObject([{ evidence: { keysRemoved: 1, reconciled: true } }]);
  });

  it('reconciles many keys in several databases', async () => {
    await using rehearsal = await Rehearsal.open({ source: SMALL_BACKLOG });
    const { source } = rehearsal;
    await source.pipeline([...fill(0, 20_000), ['SELECT', 7], ...fill(0, 3000), ['SELECT', 0]]);
    await (await synced(rehearsal)).stop();
    await source.pipeline([
      ['FLUSHDB'],
      ...fill(15_000, 30_000),
      ['SELECT', 7],
      ['DEL', 'key:5'],
      ['SELECT', 0],
    ]);
    const life = await synced(rehearsal, { flush: 'propagate' });
    expect(life.syncs).toEqual(['full']);
    expect(life.findings('FULL_RESYNC')).toMatchObject([
      { evidence: { keysRemoved: 15_001, reconciled: true } },
    ]);
    expect(await rehearsal.differences()).toEqual([]);
  });

  it('starts a full sync over that broke off, and removes what went meanwhile', async () => {
    await using rehearsal = await Rehearsal.open({ source: { 'rdb-key-save-delay': '2000' } });
    const { source, target } = rehearsal;
    await source.pipeline(
      Array.from({ length: 1000 }, (_, index) => ['SET', `key:${index}`, incompressible(index)]),
    );
    const first = rehearsal.start();
    await until('half of it is there', async () => Number(await ask(target, 'DBSIZE')) > 200);
    await first.abort();
    expect(first.states.at(-1)).toBe('InitializeFailed');
    expect(await ask(target, 'EXISTS', `redis-sync:link:${LINK}`)).toBe('0');
    await source.pipeline([
      ['CONFIG', 'SET', 'rdb-key-save-delay', 0],
      ...Array.from({ length: 500 }, (_, index) => ['DEL', `key:${index}`]),
    ]);
    const second = await synced(rehearsal);
    await rehearsal.drained(second);
    expect(await rehearsal.differences()).toEqual([]);
    // It is the first full sync that came to an end: nothing to report.
    expect(second.findings('FULL_RESYNC')).toEqual([]);
  });

  it('a snapshot that breaks off is begun again in the same life, and reconciled', async () => {
    await using rehearsal = await Rehearsal.open({ source: { 'rdb-key-save-delay': '2000' } });
    const { source, target } = rehearsal;
    await source.pipeline(
      Array.from({ length: 1000 }, (_, index) => ['SET', `key:${index}`, incompressible(index)]),
    );
    const life = rehearsal.start();
    await until('half of it is there', async () => Number(await ask(target, 'DBSIZE')) > 200);
    await source.pipeline([
      ['CONFIG', 'SET', 'rdb-key-save-delay', 0],
      ...Array.from({ length: 500 }, (_, index) => ['DEL', `key:${index}`]),
      ['CLIENT', 'KILL', 'TYPE', 'replica'],
    ]);
    await life.reaches('Synchronizing');
    await rehearsal.drained(life);
    expect(life.syncs).toEqual(['full', 'full']);
    expect(await rehearsal.differences()).toEqual([]);
  });

  it('does not pay for reconciling, nor delete anything, when the target is only not empty', async () => {
    await using rehearsal = await Rehearsal.open({ source: SMALL_BACKLOG });
    const { source, target } = rehearsal;
    await target.call('SET', 'not ours', '1');
    await source.call('SET', 'stale', '1');
    const life = await synced(rehearsal, { existing: 'merge' });
    expect(life.findings('FULL_RESYNC')).toEqual([]);
    await outrunBacklog(source, ['DEL', 'stale']);
    await until('a second full sync', () => life.of('sync-finished').length === 2);
    await rehearsal.drained(life);
    expect(await ask(target, 'MGET', 'not ours', 'stale')).toBe('1 1');
    expect(life.findings('FULL_RESYNC')).toMatchObject([
      {
        severity: 'error',
        evidence: { reconciled: false },
        message: expect.stringContaining('was not empty when the link began'),
      },
    ]);
  });

  it('deletes nothing from a target that other links write to', async () => {
    await using rehearsal = await Rehearsal.open({ source: SMALL_BACKLOG });
    const { source, target } = rehearsal;
    await source.call('SET', 'stale', '1');
    const life = await synced(rehearsal);
    await target.pipeline([
      ['SET', 'of another link', '1'],
      ['HSET', 'redis-sync:link:other', 'replid', 'x', 'offset', 1],
    ]);
    await outrunBacklog(source, ['DEL', 'stale']);
    await until('a second full sync', () => life.of('sync-finished').length === 2);
    await rehearsal.drained(life);
    expect(await ask(target, 'MGET', 'of another link', 'stale')).toBe('1 1');
    expect(life.findings('FULL_RESYNC')).toMatchObject([
      { severity: 'error', evidence: { otherLinks: ['redis-sync:link:other'] } },
    ]);
  });

  it('policy reload: loads over what is there and leaves stale keys, as managed services do, and says so', async () => {
    await using rehearsal = await Rehearsal.open({ source: SMALL_BACKLOG });
    const { source, target } = rehearsal;
    await source.pipeline([
      ['SET', 'stale', '1'],
      ['RPUSH', 'list', 'a'],
    ]);
    const life = await synced(rehearsal, { fullResync: 'reload' });
    await outrunBacklog(source, ['DEL', 'stale']);
    await until('a second full sync', () => life.of('sync-finished').length === 2);
    await rehearsal.drained(life);
    expect(await rehearsal.differences()).toEqual([expect.stringMatching(/^0:stale: undefined ≠ string/)]);
    expect(await ask(target, 'LRANGE', 'list', 0, -1)).toBe('a');
    expect(life.findings('FULL_RESYNC')).toMatchObject([
      { severity: 'error', evidence: { reconciled: false } },
    ]);
  });

  it('policy fail: stops before the target is touched, and a later start may continue', async () => {
    await using rehearsal = await Rehearsal.open({ source: SMALL_BACKLOG });
    const { source, target } = rehearsal;
    await source.pipeline([['SET', 'stale', '1']]);
    const life = await synced(rehearsal, { fullResync: 'fail' });
    await rehearsal.drained(life);
    const before = await ask(target, 'HGETALL', `redis-sync:link:${LINK}`);
    await outrunBacklog(source, ['DEL', 'stale']);
    expect((await life.fails()).error).toMatchObject({
      code: 'POLICY',
      hint: expect.stringContaining('engine.fullResync'),
    });
    expect(await ask(target, 'HGETALL', `redis-sync:link:${LINK}`)).toBe(before);
    expect(await ask(target, 'GET', 'stale')).toBe('1');
    const next = await synced(rehearsal);
    await rehearsal.drained(next);
    expect(await rehearsal.differences()).toEqual([]);
  });

  it('a source that comes back empty empties nothing unless that is wanted', async () => {
    await using rehearsal = await Rehearsal.open({ source: SMALL_BACKLOG });
    const { source, target } = rehearsal;
    await source.pipeline([
      ['SET', 'a', '1'],
      ['SELECT', 9],
      ['SET', 'b', '2'],
      ['SELECT', 0],
    ]);
    await (await synced(rehearsal)).stop();
    await using empty = await startServer();
    const life = rehearsal.start({}, { source: empty.endpoint });
    expect((await life.fails()).error).toMatchObject({
      code: 'POLICY',
      hint: expect.stringContaining('engine.emptySource'),
    });
    expect(life.states).not.toContain('Finished');
    expect(await ask(target, 'GET', 'a')).toBe('1');
    const wanted = rehearsal.start({ emptySource: 'follow' }, { source: empty.endpoint });
    await wanted.reaches('Synchronizing');
    expect(await ask(target, 'INFO', 'keyspace')).not.toMatch(/db9/);
    expect(await ask(target, 'EXISTS', 'a')).toBe('0');
  });

  it('another history with lower offsets: is not taken for applied before it is', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source } = rehearsal;
    const first = await synced(rehearsal);
    await source.pipeline(
      Array.from({ length: 2000 }, (_, index) => ['SET', `key:${index % 50}`, 'v'.repeat(100)]),
    );
    await rehearsal.drained(first);
    const high = BigInt(first.status.appliedOffset);
    await first.stop();
    await using other = await Rehearsal.open({ source: { 'rdb-key-save-delay': '2000' } });
    await other.source.pipeline(Array.from({ length: 300 }, (_, index) => ['SET', `key:${index}`, 'w']));
    const life = rehearsal.start({}, { source: other.servers.source.endpoint });
    const claimed: bigint[] = [];
    await until('in sync', () => {
      claimed.push(BigInt(life.status.appliedOffset));
      return life.status.state === 'Synchronizing';
    });
    // Its last look may have been at the end, when 0 of the new history really is applied.
    expect(claimed.filter((offset) => offset > 0n)).toEqual([]);
    await rehearsal.drained(life, other.source);
    expect(BigInt(life.status.appliedOffset)).toBeLessThan(high);
    expect(await rehearsal.differences(other.source)).toEqual([]);
  });
});
