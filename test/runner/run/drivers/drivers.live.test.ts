/** Rehearsals in which somebody else replicates: Redis itself, a program, a service that runs already. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { Connection } from '../../../../engine/connect/connection.ts';
import { startServer, type TestServer } from '../../../support/server.ts';
import { until } from '../../../support/until.ts';
import { parseInfo } from '../../../../engine/resp/reply-text.ts';
import { Workspace } from '../workspace.ts';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const COPIER = `cd ${ROOT} && ${process.execPath} test/support/run-typescript.mjs test/runner/run/drivers/programs/copier.ts {source.port} {target.port}`;

const BASE = {
  name: 'driven',
  instances: { source: {}, target: {} },
  topology: { kind: 'one-way', source: 'source', target: 'target' },
  data: [
    { keys: 100, corners: true },
    { keys: 20, database: 12 },
  ],
  workload: [],
  compare: { rounds: 1 },
};

describe("Redis's own replication", () => {
  const writers = {
    workload: [{ rate: '500/s', databases: [0, 12], mix: { string: 1 } }],
    incremental: '800ms',
  };

  test('passes, with offsets, lag and resyncs measured and the rest unknown', async () => {
    await using workspace = await Workspace.open();
    const { exitCode, results, events, out } = await workspace.verify({
      ...BASE,
      ...writers,
      engine: { driver: 'replica' },
      expect: [
        { finding: 'FULL_RESYNC', count: 0 },
        { metric: 'lag_ms', p99: '< 60000' },
      ],
    });
    expect(results).toMatchObject({ verdict: 'pass', summary: expect.any(String) });
    expect(exitCode).toBe(0);
    expect(results.engine).toMatchObject({ driver: 'replica' });
    expect(results.links).toMatchObject([
      {
        state: 'Finished',
        fullSync: { count: 1, keys: expect.any(Number) },
        lagMs: { samples: expect.any(Number) },
        unmeasured: expect.arrayContaining(['commands', 'errors']),
      },
    ]);
    expect(results.comparison?.keysCompared).toBeGreaterThan(120);
    const drained = events.find((event) => event.kind === 'drained');
    expect(drained).toMatchObject({ sourceOffset: expect.stringMatching(/^\d{3,}$/) });
    expect(out).toContain('REPLICAOF');
    expect(out).toContain('unknown');
  });

  test('a link that is cut is one partial resync, and no full one', async () => {
    await using workspace = await Workspace.open();
    const cut = {
      id: 'cut',
      fault: 'script',
      when: 'incremental',
      where: 'source',
      with: { commands: ['CLIENT KILL TYPE replica'] },
    };
    const { results } = await workspace.verify({
      ...BASE,
      ...writers,
      engine: { driver: 'replica' },
      timeline: [cut],
    });
    expect(results).toMatchObject({ verdict: 'pass', summary: expect.any(String) });
    expect(results.links).toMatchObject([{ partialResyncs: 1, fullResyncs: 0 }]);
  });

  test('logs in with the password of the source, and takes it back', async () => {
    await using source = await startServer({ requirepass: 'sesame' });
    await using target = await startServer();
    await using workspace = await Workspace.open();
    const instances = {
      source: { url: `redis://127.0.0.1:${source.port}`, password: '${DRIVER_SECRET}', disposable: true },
      target: { url: `redis://127.0.0.1:${target.port}`, disposable: true },
    };
    const path = await workspace.write({
      ...BASE,
      instances,
      data: [{ keys: 20, into: 'source' }],
      engine: { driver: 'replica' },
    });
    const { exitCode, err } = await workspace.command(['verify', path], {
      ...process.env,
      DRIVER_SECRET: 'sesame',
    });
    expect({ exitCode, err }).toMatchObject({ exitCode: 0 });
    await using connection = await Connection.open(target.endpoint);
    expect(await connection.call('CONFIG', 'GET', 'masterauth')).toEqual([
      Buffer.from('masterauth'),
      Buffer.from(''),
    ]);
    expect(parseInfo(await connection.call('INFO', 'replication'))).toMatchObject({ role: 'master' });
  });
});

describe('a program', () => {
  test('that copies everything and ends: pass, and what it did not say is unknown', async () => {
    await using workspace = await Workspace.open();
    const { exitCode, results, events } = await workspace.verify({
      ...BASE,
      engine: { driver: 'command', command: { run: COPIER } },
    });
    expect(results).toMatchObject({ verdict: 'pass', summary: expect.any(String) });
    expect(exitCode).toBe(0);
    expect(results.links).toMatchObject([{ state: 'Finished', fullSync: null, lagMs: null }]);
    expect(events).toContainEqual(
      expect.objectContaining({
        kind: 'caught-up',
        reached: true,
        reason: expect.stringContaining('exit code 0'),
      }),
    );
    expect(results.checks).toContainEqual(
      expect.objectContaining({ check: 'links-in-sync', summary: expect.stringContaining('from outside') }),
    );
    expect(results.files).toMatchObject({ 'engine source-to-target': 'engine-source-to-target.log' });
  });

  test('that forgets every tenth key: fail, whatever it says of itself', async () => {
    await using workspace = await Workspace.open();
    const { exitCode, results } = await workspace.verify({
      ...BASE,
      engine: { driver: 'command', command: { run: `${COPIER} --forget-every 10` } },
    });
    expect(exitCode).toBe(1);
    expect(results.comparison?.totals.MISSING_KEY).toBeGreaterThanOrEqual(10);
  });

  test('that goes on, and says in its output how far it is', async () => {
    await using workspace = await Workspace.open();
    const command = { run: `${COPIER} --stay`, synchronized: 'all \\d+ keys copied', caughtUp: '^lag 0$' };
    const { results, events } = await workspace.verify({
      ...BASE,
      engine: { driver: 'command', command },
      expect: [{ finding: 'FULL_RESYNC', count: 0 }],
    });
    expect(events).toContainEqual(
      expect.objectContaining({ kind: 'caught-up', reached: true, reason: 'its output said so: lag 0' }),
    );
    // Nobody can know whether it copied twice.
    expect(results.verdict).toBe('unknown');
    expect(results.checks.filter(({ verdict }) => verdict === 'unknown')).toMatchObject([
      { check: 'finding:FULL_RESYNC' },
    ]);
  });

  test('that reads its endpoints from a file made of a template, which does not stay', async () => {
    await using workspace = await Workspace.open();
    await workspace.write('from = {source.host}:{source.port}\n{ other = braces }\n', 'tool.conf');
    const run = 'cat {config}; exit 3';
    const { exitCode, results, err } = await workspace.verify({
      ...BASE,
      engine: { driver: 'command', command: { run, template: 'tool.conf' } },
    });
    expect(exitCode).toBe(1);
    expect(results.error).toMatchObject({
      code: 'APPLY_REFUSED',
      message: expect.stringContaining('exit code 3'),
    });
    expect(err).toMatch(/said last: from = 127\.0\.0\.1:\d+ \| \{ other = braces \}/);
    const config = join(workspace.latest, 'engine', 'source-to-target', 'tool.conf');

    expect(existsSync(config)).toBe(false);
  });
});

describe('a service that runs already', () => {
  const engine = { driver: 'external', watch: { quiet: '300ms', limit: '2s' } };

  const specOf = ({ source, target }: { source: TestServer; target: TestServer }): object => ({
    ...BASE,
    instances: {
      source: { url: `redis://127.0.0.1:${source.port}` },
      target: { url: `redis://127.0.0.1:${target.port}` },
    },
    data: [],
    engine,
  });

  test('is waited for and verified; nothing is started, written or promoted', async () => {
    await using pair = await replicating();
    await using workspace = await Workspace.open();
    const { exitCode, results } = await workspace.verify({ ...specOf(pair) });
    expect(results).toMatchObject({ verdict: 'pass', summary: expect.any(String) });
    expect(exitCode).toBe(0);
    expect(results.engine?.what).toContain('Nothing was started');
    expect(results.comparison?.keysCompared).toBe(200);
    expect(workspace.processes()).toEqual([]);
    await using connection = await Connection.open(pair.target.endpoint);
    expect(parseInfo(await connection.call('INFO', 'replication'))).toMatchObject({ role: 'slave' });
  });

  test('that has lost a key: fail', async () => {
    await using pair = await replicating();
    await using target = await Connection.open(pair.target.endpoint);
    await target.call('REPLICAOF', 'NO', 'ONE');
    await target.call('SET', 'key:7', 'another');
    await using workspace = await Workspace.open();
    const { exitCode, results } = await workspace.verify({ ...specOf(pair) });
    expect(exitCode).toBe(1);
    expect(results.comparison?.totals.VALUE_MISMATCH).toBe(1);
  });

  test('that does nothing is not waited for for ever: unknown', async () => {
    await using pair = await replicating();
    await using target = await Connection.open(pair.target.endpoint);
    await target.call('REPLICAOF', 'NO', 'ONE');
    await target.call('FLUSHALL');
    await using workspace = await Workspace.open();
    const { exitCode, results } = await workspace.verify({ ...specOf(pair) });
    expect(exitCode).toBe(4);
    expect(results.error).toMatchObject({
      code: 'TIMEOUT',
      message: 'The target has 0 of 200 keys, and no more for 2 s.',
    });
  });
});

test('run operates our own engine only: 2', async () => {
  await using workspace = await Workspace.open();
  const instances = { source: { url: 'redis://127.0.0.1:1' }, target: { url: 'redis://127.0.0.1:2' } };
  const path = await workspace.write({ ...BASE, instances, data: [], engine: { driver: 'replica' } });
  const { exitCode, err } = await workspace.command(['run', path]);
  expect(exitCode).toBe(2);
  expect(err).toMatch(/driver here is replica(.*\n)+ *hint: .*verify/);
});

/** A source with 200 keys, and a target that replicates it by means of its own. */
async function replicating(): Promise<AsyncDisposable & { source: TestServer; target: TestServer }> {
  const source = await startServer();
  const target = await startServer();
  await using writer = await Connection.open(source.endpoint);
  for (let key = 0; key < 200; key++) await writer.call('SET', `key:${key}`, `${key}`);
  await using link = await Connection.open(target.endpoint);
  await link.call('REPLICAOF', '127.0.0.1', String(source.port));
  await until(async () => (await link.call('DBSIZE')) === 200);
  const stop = async (): Promise<void> => {
    await target.stop();
    await source.stop();
  };
  return { source, target, [Symbol.asyncDispose]: stop };
}
