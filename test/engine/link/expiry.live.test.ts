/** Keys with an expiry between real servers: nothing is lost, nothing stays, whenever the target gets to hear of it. */
import { describe, expect, it } from 'vitest';
import { compareInstances } from '../../../engine/compare/compare.ts';
import type { Connection } from '../../../engine/connect/connection.ts';
import { DEFAULT_EXPIRY_OPTIONS } from '../../../engine/link/options.ts';
import { parseInfo } from '../../../engine/resp/reply-text.ts';
import { startWorkload } from '../../../scenarios/workload/workload-start.ts';
import { nowOf, passed } from '../../support/server-clock.ts';
import { ask, LINK, Rehearsal, until, type Life } from './rehearsal.ts';

const CHECKPOINT = `redis-sync:link:${LINK}`;
/** Of a key that is renewed by the next command of its pipeline: a busy machine may well stop the server in between. */
const TTL_MS = 500;
/** Longer than a link takes to hear of what it has applied, also on a busy machine: else it never keeps up. */
const GUARD_MS = 1200;
/** Whether the link has found by then that it keeps up or not, deadlines are deferred and stay so. */
const ALL_NEAR = { expiry: { ...DEFAULT_EXPIRY_OPTIONS, guardMs: 2_000_000 } };

async function synced(rehearsal: Rehearsal, engine: Parameters<Rehearsal['start']>[0] = {}): Promise<Life> {
  const life = rehearsal.start(engine);
  await life.reaches('Synchronizing');
  return life;
}

/** A paused lane takes what it has in hand before it stands still. */
async function paused(rehearsal: Rehearsal, life: Life): Promise<void> {
  life.replicator.pause(LINK);
  await rehearsal.source.call('SET', 'last before the pause', 1);
}

/** Keys of every type with near and far deadlines, set in every way. */
function everyExpiry(prefix: string): (string | number)[][] {
  return [50, 300, 8000, 30_000, 600_000, 86_400_000].flatMap((ttl) => [
    ['SET', `${prefix}:string:${ttl}`, 1, 'PX', ttl],
    ['PSETEX', `${prefix}:psetex:${ttl}`, ttl, 1],
    ['RPUSH', `${prefix}:list:${ttl}`, 1, 2],
    ['PEXPIRE', `${prefix}:list:${ttl}`, ttl],
    ['HSET', `${prefix}:hash:${ttl}`, 'f', 1],
    ['EXPIREAT', `${prefix}:hash:${ttl}`, 2_000_000_000 + ttl],
    ['SET', `${prefix}:kept:${ttl}`, 1, 'PX', ttl],
    ['SET', `${prefix}:kept:${ttl}`, 2, 'KEEPTTL'],
    ['COPY', `${prefix}:kept:${ttl}`, `${prefix}:copy:${ttl}`],
    ['SET', `${prefix}:getex:${ttl}`, 1],
    ['GETEX', `${prefix}:getex:${ttl}`, 'PX', ttl],
  ]);
}

async function fieldTimes(server: Connection): Promise<number[]> {
  return (await ask(server, 'HPEXPIRETIME', 'h', 'FIELDS', 3, 'a', 'b', 'c')).split(' ').map(Number);
}

describe('a key that is renewed while its deadline is on its way to the target', () => {
  it('renewed in time during a slow full sync: is kept, though its copy was due long before', async () => {
    await using rehearsal = await Rehearsal.open({ source: { 'rdb-key-save-delay': '8000' } });
    const { source, target } = rehearsal;
    await source.pipeline([
      ...Array.from({ length: 400 }, (_, index) => ['SET', `filler:${index}`, 'x'.repeat(2000)]),
      ...Array.from({ length: 20 }, (_, index) => ['SET', `session:${index}`, index, 'PX', 1500]),
      ['HSET', 'session:hash', 'user', 1],
      ['PEXPIRE', 'session:hash', 1500],
    ]);
    const deadline = (await nowOf(source)) + 1500;
    const life = rehearsal.start();
    await until(
      'the full sync has begun',
      () => life.status.state === 'Initializing' && life.syncs.length > 0,
    );
    await source.pipeline([
      ...Array.from({ length: 20 }, (_, index) => ['PEXPIRE', `session:${index}`, 600_000]),
      ['PERSIST', 'session:hash'],
      ['INCR', 'session:0'],
    ]);
    await passed(target, deadline);
    expect(life.status.snapshot.done).toBe(false);
    await life.reaches('Synchronizing');
    await rehearsal.drained(life);
    expect(await ask(target, 'MGET', 'session:0', 'session:19')).toBe('1 19');
    expect(await rehearsal.differences()).toEqual([]);
    expect(life.findings('APPLY_ERROR')).toEqual([]);
  });

  it('written, counted up and made lasting in time, applied late: has the right value', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source, target } = rehearsal;
    const life = await synced(rehearsal);
    await paused(rehearsal, life);
    await source.pipeline([
      ['SET', 'lasting', 1, 'PX', TTL_MS],
      ['INCR', 'lasting'],
      ['PERSIST', 'lasting'],
      ['SET', 'renewed', 'a', 'PX', TTL_MS],
      ['APPEND', 'renewed', 'b'],
      ['PEXPIRE', 'renewed', 600_000],
      ['SET', 'moved', 1, 'PX', TTL_MS],
      ['RENAME', 'moved', 'moved here'],
      ['INCR', 'moved here'],
      ['PERSIST', 'moved here'],
      ['SET', 'again', 5, 'PX', TTL_MS],
    ]);
    const deadline = (await nowOf(source)) + TTL_MS;
    await passed(source, deadline);
    // Expired at the source: a new one begins at 1.
    await source.call('INCR', 'again');
    life.replicator.resume(LINK);
    await rehearsal.drained(life);
    expect(await ask(target, 'MGET', 'lasting', 'renewed', 'moved here', 'again')).toBe('2 ab 2 1');
    expect(await rehearsal.differences()).toEqual([]);
  });

  it('a target that is away for longer than the guard: what waits for it is written with later deadlines', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source, target } = rehearsal;
    const life = await synced(rehearsal, {
      expiry: { ...DEFAULT_EXPIRY_OPTIONS, guardMs: GUARD_MS },
      heartbeatMs: 100,
    });
    // What is not near is written as it is.
    await until('it keeps up', async () => {
      await source.call('SET', 'probe', 1, 'PX', 30_000);
      const set = await ask(source, 'PEXPIRETIME', 'probe');
      await until('the probe is there', async () => (await ask(target, 'EXISTS', 'probe')) === '1');
      await source.call('DEL', 'probe');
      const written = await ask(target, 'PEXPIRETIME', 'probe');
      await until('the probe is gone', async () => (await ask(target, 'EXISTS', 'probe')) === '0');
      return written === set;
    });
    // It takes nothing for a while.
    await target.call('REPLICAOF', '127.0.0.1', 1);
    const deadline = (await nowOf(source)) + 3 * GUARD_MS;
    await source.call('SET', 'waiting', 1, 'PXAT', deadline);
    await life.reaches('Retrying');
    await source.pipeline([
      ['INCR', 'waiting'],
      ['PERSIST', 'waiting'],
    ]);
    await passed(source, deadline + 100);
    await target.call('REPLICAOF', 'NO', 'ONE');
    await rehearsal.drained(life);
    expect(await ask(target, 'GET', 'waiting')).toBe('2');
    expect(await rehearsal.differences()).toEqual([]);
  });
});

describe('deadlines on the target', () => {
  it('are those of the source after a drain, near and far, of every type', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source, target } = rehearsal;
    await source.pipeline([
      ...everyExpiry('before'),
      ['SELECT', 12],
      ...everyExpiry('before'),
      ['SELECT', 0],
    ]);
    const life = await synced(rehearsal);
    await source.pipeline([...everyExpiry('after'), ['SELECT', 12], ...everyExpiry('after'), ['SELECT', 0]]);
    // None of them is to expire while both sides are read.
    await passed(source, (await nowOf(source)) + 1000);
    await rehearsal.drained(life);
    expect(await rehearsal.differences()).toEqual([]);
    // No key whose deadline stayed an hour later.
    const latest = await Promise.all(
      [8000, 30_000].map((ttl) => ask(target, 'PEXPIRETIME', `after:string:${ttl}`)),
    );
    for (const ms of latest) expect(Number(ms)).toBeLessThan((await nowOf(target)) + 60_000);
  });

  it('a storm of 10,000 keys that live 50 to 500 ms, renewed, counted up, left to expire: equal in the end', async () => {
    await using rehearsal = await Rehearsal.open();
    const { servers, source } = rehearsal;
    const life = await synced(rehearsal, { heartbeatMs: 100 });
    const plan = {
      name: 'storm',
      into: [],
      databases: [0, 11],
      ratePerSecond: 8000,
      clients: 2,
      start: 'incremental' as const,
      mix: { expiry: 1 },
      keyspace: 10_000,
      prefix: 'storm:',
    };
    await using workload = await startWorkload([servers.source.endpoint], plan, { seed: 3 });
    await until('enough was written', () => workload.stats().ok > 20_000);
    await workload.stop();
    await passed(source, (await nowOf(source)) + 600);
    await rehearsal.drained(life);
    const comparison = await compareInstances({
      sources: [servers.source.endpoint],
      targets: [servers.target.endpoint],
      ignorePrefixes: ['DTS_REDIS_TIMESTAMP_HEARTBEAT'],
    });
    expect(comparison.differences).toEqual([]);
    expect(comparison.keysCompared).toBeGreaterThan(100);
    expect(life.findings('EXPIRY_AT_RISK')).toEqual([]);
  });

  it('stay late when the link is only stopped, so that what is renewed meanwhile is kept, and are given back at the cutover', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source, target } = rehearsal;
    const first = await synced(rehearsal, ALL_NEAR);
    const deadline = (await nowOf(source)) + 2500;
    await source.pipeline([
      ['SET', 'renewed while it is stopped', 1, 'PXAT', deadline],
      ['SET', 'near', 1, 'PX', 60_000],
    ]);
    await until('both are deferred', () => first.status.deferred === 2);
    await first.stop();
    expect(first.findings('EXPIRY_LATE')).toMatchObject([{ severity: 'notice', evidence: { keys: 2 } }]);
    expect(await ask(target, 'HGET', CHECKPOINT, 'deferred')).toBe(String(DEFAULT_EXPIRY_OPTIONS.graceMs));
    await source.pipeline([
      ['INCR', 'renewed while it is stopped'],
      ['PEXPIRE', 'renewed while it is stopped', 60_000],
    ]);
    await passed(target, deadline);
    const second = await synced(rehearsal, ALL_NEAR);
    expect(second.syncs).toEqual(['partial']);
    await rehearsal.drained(second);
    await second.stop();
    expect(await ask(target, 'GET', 'renewed while it is stopped')).toBe('2');
    expect(await rehearsal.differences()).toEqual([]);
    expect(await ask(target, 'HGET', CHECKPOINT, 'deferred')).toBe('0');
    expect(second.findings('EXPIRY_LATE')).toEqual([]);
  });

  it('are the true ones from the cutover on, also of what is written after it', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source, target } = rehearsal;
    const life = await synced(rehearsal);
    await rehearsal.drained(life);
    await source.pipeline([
      ['SET', 'near', 1, 'PX', 8000],
      ['SET', 'over before it comes', 1],
      ['PEXPIRE', 'over before it comes', 1],
    ]);
    await until('it is there', async () => (await ask(target, 'EXISTS', 'near')) === '1');
    expect(await ask(target, 'PEXPIRETIME', 'near')).toBe(await ask(source, 'PEXPIRETIME', 'near'));
    expect(life.status.deferred).toBe(0);
  });

  it('an engine that is killed with deferred deadlines leaves them late, and the next one gives them back', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source, target } = rehearsal;
    const first = await synced(rehearsal);
    await source.pipeline([
      ...Array.from({ length: 300 }, (_, index) => ['SET', `near:${index}`, 1, 'PX', 9000]),
      ['SET', 'far', 1, 'PX', 3_000_000],
      ['SELECT', 12],
      ['SET', 'near', 1, 'PX', 9000],
      ['SELECT', 0],
    ]);
    const offset = await rehearsal.sourceOffset();
    await until('all is applied', () => BigInt(first.status.appliedOffset) >= offset);
    await first.abort();
    expect(await ask(target, 'HGET', CHECKPOINT, 'deferred')).toBe(String(DEFAULT_EXPIRY_OPTIONS.graceMs));
    const late = Number(await ask(target, 'PEXPIRETIME', 'near:7'));
    expect(late - Number(await ask(source, 'PEXPIRETIME', 'near:7'))).toBe(DEFAULT_EXPIRY_OPTIONS.graceMs);
    const second = await synced(rehearsal);
    expect(second.syncs).toEqual(['partial']);
    await rehearsal.drained(second);
    expect(await rehearsal.differences()).toEqual([]);
    await second.stop();
    expect(await ask(target, 'HGET', CHECKPOINT, 'deferred')).toBe('0');
  });

  it('more of them than memory has room for go to disk and come back', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source, target } = rehearsal;
    const keys = 5000;
    await source.pipeline(
      Array.from({ length: keys }, (_, index) => ['SET', `k:${index}`, '', 'PX', 900_000 + index]),
    );
    const life = await synced(rehearsal, { expiry: { ...ALL_NEAR.expiry, rememberedMax: 500 } });
    const spooled = await rehearsal.spooled();
    expect(spooled).toEqual([expect.stringMatching(/^deferred-[0-9a-f]{12}-1\.spool$/)]);
    await source.pipeline([
      ['RENAME', 'k:4999', 'elsewhere'],
      ['COPY', 'elsewhere', 'far away', 'DB', 9],
    ]);
    await rehearsal.drained(life);
    expect(await rehearsal.spooled()).toEqual([]);
    const sample = ['k:0', 'k:499', 'k:501', 'k:4998', 'elsewhere'];
    for (const key of sample)
      expect(`${key} ${await ask(target, 'PEXPIRETIME', key)}`).toBe(
        `${key} ${await ask(source, 'PEXPIRETIME', key)}`,
      );
    const comparison = await compareInstances({
      sources: [rehearsal.servers.source.endpoint],
      targets: [rehearsal.servers.target.endpoint],
      ttlToleranceMs: 0,
    });
    expect(comparison.differences).toEqual([]);
  });
});

describe('a source that expires lazily', () => {
  it('keeps no key alive on the target that is dead at the source, in snapshot and stream', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source, target } = rehearsal;
    await source.pipeline([
      ['DEBUG', 'SET-ACTIVE-EXPIRE', 0],
      ['SET', 'before', 1, 'PX', 100],
    ]);
    await passed(source, (await nowOf(source)) + 150);
    const life = await synced(rehearsal);
    await source.call('SET', 'after', 1, 'PX', 100);
    await passed(source, (await nowOf(source)) + 150);
    await until(
      'the target has let go of them',
      async () => (await ask(target, 'EXISTS', 'before', 'after')) === '0',
    );
    // Nobody touched them at the source, which still has both and has said no DEL.
    expect(parseInfo(await source.call('INFO', 'keyspace'))['db0']).toMatch(/^keys=2,/);
    expect(life.status.deferred).toBe(0);
    await source.call('INCR', 'after');
    await rehearsal.drained(life);
    expect(await ask(target, 'GET', 'after')).toBe('1');
    expect(await rehearsal.differences()).toEqual([]);
  });
});

describe('a target in import mode', () => {
  it('gets every deadline as it is, and expires nothing before the source says so', async (context) => {
    await using rehearsal = await Rehearsal.open();
    const { source, target } = rehearsal;
    const reply = await target.tryCall('CONFIG', 'SET', 'import-mode', 'yes');
    context.skip(reply !== 'OK', 'the server has no import mode (Valkey 8.1)');
    await source.call('DEBUG', 'SET-ACTIVE-EXPIRE', 0);
    const life = await synced(rehearsal);
    expect(life.findings('IMPORT_MODE')).toMatchObject([{ severity: 'notice' }]);
    await paused(rehearsal, life);
    await source.pipeline([
      ['SET', 'near', 1, 'PX', 200],
      ['INCR', 'near'],
      ['PERSIST', 'near'],
      ['SET', 'dying', 1, 'PX', 200],
    ]);
    await passed(source, (await nowOf(source)) + 250);
    life.replicator.resume(LINK);
    await rehearsal.drained(life);
    expect(life.status.deferred).toBe(0);
    expect(await ask(target, 'GET', 'near')).toBe('2');
    expect(await ask(target, 'GET', 'dying')).toBe('(nil)');
    expect(await ask(target, 'HGET', CHECKPOINT, 'deferred')).toBe('(nil)');
    await life.stop();
    expect(await ask(target, 'CONFIG', 'GET', 'import-mode')).toBe('import-mode yes');
  });

  it('that the link has switched on is switched off at the cutover', async (context) => {
    await using rehearsal = await Rehearsal.open();
    const { target } = rehearsal;
    const known = await ask(target, 'CONFIG', 'GET', 'import-mode');
    context.skip(known === '', 'the server has no import mode (Valkey 8.1)');
    const life = await synced(rehearsal, { expiry: { ...DEFAULT_EXPIRY_OPTIONS, importMode: 'set' } });
    expect(await ask(target, 'CONFIG', 'GET', 'import-mode')).toBe('import-mode yes');
    await life.stop();
    expect(await ask(target, 'CONFIG', 'GET', 'import-mode')).toBe('import-mode yes');
    const last = await synced(rehearsal, { expiry: { ...DEFAULT_EXPIRY_OPTIONS, importMode: 'set' } });
    await rehearsal.drained(last);
    await last.stop();
    expect(await ask(target, 'CONFIG', 'GET', 'import-mode')).toBe('import-mode no');
  });
});

describe('fields with an expiry of their own', () => {
  it('live as long as at the source, in snapshot and stream, also after a crash', async (context) => {
    await using rehearsal = await Rehearsal.open();
    const { source, target } = rehearsal;
    await source.call('HSET', 'h', 'a', 1, 'b', 2, 'c', 3);
    const reply = await source.tryCall('HPEXPIRE', 'h', 8000, 'FIELDS', 1, 'a');
    context.skip(!Array.isArray(reply), 'the server has no field expiry (Redis 7.4, Valkey 9.0)');
    const first = await synced(rehearsal);
    await source.call('HPEXPIRE', 'h', 7000, 'FIELDS', 1, 'b');
    const offset = await rehearsal.sourceOffset();
    await until('all is applied', () => BigInt(first.status.appliedOffset) >= offset);
    const grace = DEFAULT_EXPIRY_OPTIONS.graceMs;
    const set = await fieldTimes(source);
    expect(await fieldTimes(target)).toEqual([set[0]! + grace, set[1]! + grace, -1]);
    await first.abort();
    const second = await synced(rehearsal);
    await rehearsal.drained(second);
    expect(await fieldTimes(target)).toEqual(set);
  });
});
