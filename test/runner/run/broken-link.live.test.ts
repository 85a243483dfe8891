/**
 * What happens on the way: a snapshot cut half-way, a corrupt one, a link whose process is killed. A half-written target is
 * never called complete.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Connection } from '../../../engine/connect/connection.ts';
import type { RunEvent } from '../../../reports/events.ts';
import { signalProcess } from '../../../runner/provision/process-identity.mjs';
import { command as ask, syncsOf } from '../../support/replication.ts';
import { startServer, type TestServer, urlOf } from '../../support/server.ts';
import { cutSnapshot, flipSnapshotByte, startProxy, type Proxy } from '../../support/tampering-proxy.ts';
import { CommandProcess } from './command-process.ts';
import { Workspace } from './workspace.ts';

const KEYS = 600;
/** Of the snapshot of these keys: about 270 bytes each. */
const HALF_WAY = 80_000;

test('a snapshot cut once is fetched again, and the rehearsal passes', async () => {
  await using source = await filledServer();
  await using proxy = await startProxy(source.endpoint, cutSnapshot(HALF_WAY, 1));
  await using workspace = await Workspace.open();
  const { exitCode, results, events } = await workspace.verify(rehearsal(proxy));
  expect(proxy.bites()).toBe(1);
  expect(statesIn(events)).toEqual(['Initializing', 'Retrying', 'Initializing', 'Synchronizing', 'Finished']);
  expect(results).toMatchObject({ verdict: 'pass', comparison: { keysCompared: KEYS } });
  expect(results.links[0]).toMatchObject({ fullSync: { keys: KEYS, count: 1 } });
  expect(exitCode).toBe(0);
});

test('a snapshot cut every time: given up after `retry`, and nothing is compared', async () => {
  await using source = await filledServer();
  await using proxy = await startProxy(source.endpoint, cutSnapshot(HALF_WAY));
  await using workspace = await Workspace.open();
  const { exitCode, results, events, err } = await workspace.verify(rehearsal(proxy));
  expect(exitCode).toBe(3);
  expect(proxy.bites()).toBeGreaterThan(1);
  expect(statesIn(events)).not.toContain('Synchronizing');
  expect(results).toMatchObject({
    verdict: 'unknown',
    comparison: null,
    links: [{ state: 'InitializeFailed', fullSync: null }],
    error: { code: 'CONNECT', message: expect.stringContaining('closed the connection during the snapshot') },
  });
  expect(err.match(/\berror:/g)).toHaveLength(1);
});

test('a corrupt snapshot: nothing is called complete', async () => {
  await using source = await filledServer();
  await using proxy = await startProxy(source.endpoint, flipSnapshotByte(HALF_WAY));
  await using workspace = await Workspace.open();
  const { exitCode, results, events, err } = await workspace.verify(rehearsal(proxy));
  expect(proxy.bites()).toBe(1);
  expect(statesIn(events)).toEqual(['Initializing', 'InitializeFailed']);
  expect(results).toMatchObject({
    verdict: 'unknown',
    comparison: null,
    error: { code: 'SNAPSHOT_CORRUPT' },
  });
  expect(err).toMatch(/error: link source-to-target.*\n *hint: /);
  expect(err.match(/\berror:/g)).toHaveLength(1);
  expect(exitCode).toBe(3);
});

test.each([
  ['cut', cutSnapshot(HALF_WAY), /closed the connection during the snapshot/],
  ['corrupt', flipSnapshotByte(HALF_WAY), /checksum/i],
  ['not a snapshot', flipSnapshotByte(0), /snapshot/i],
])('run, snapshot %s: the target carries no checkpoint', async (_name, tamper, message) => {
  await using source = await filledServer();
  await using target = await startServer();
  await using proxy = await startProxy(source.endpoint, tamper);
  await using workspace = await Workspace.open();
  const spec = await workspace.write({
    ...rehearsal(proxy),
    instances: { source: { url: proxy.url }, target: { url: urlOf(target) } },
  });
  const { exitCode, out, err } = await workspace.command(['run', spec, '--until', 'synced']);
  expect(exitCode).toBe(3);
  expect(err).toMatch(message);
  expect(err.match(/\berror:/g)).toHaveLength(1);
  expect(out).not.toMatch(/Synchronizing|Finished/);
  expect(await ask(target.endpoint, 'KEYS', 'redis-sync:link:*')).toEqual([]);
});

test('the replicator is killed while it streams: the run says so, and what it would have come to is unknown', async () => {
  await using workspace = await Workspace.open();
  const spec = await workspace.write({
    ...rehearsal(),
    instances: { source: {}, target: {} },
    data: [{ keys: 100 }],
    workload: [{ rate: '200/s', mix: { string: 1 } }],
    incremental: '60s',
    compare: { rounds: 1 },
  });
  await using command = new CommandProcess(['verify', spec, '--json'], workspace.out);
  await command.phase('incremental');
  await command.event((event) => event.kind === 'progress' && event.phase === 'incremental');
  const replicator = workspace.processes().find(({ what }) => what === 'replicator source');
  expect(replicator && signalProcess(replicator, 'SIGKILL')).toBe(true);
  const { code } = await command.ended;
  expect(code).toBeGreaterThan(0);
  const results = await workspace.results();
  expect(results.checks.filter(({ verdict }) => verdict === 'fail')).toEqual([]);
  expect(results.verdict).toBe('unknown');
  expect(results.exitCode).toBe(code);
  expect(results.links[0]?.state).toBe('Failed');
  expect(results.error?.message).toMatch(/replicator of source died \(SIGKILL\)/);
  expect(await readFile(join(workspace.latest, 'replicator-source.log'), 'utf8')).toContain(
    '"signal":"SIGKILL"',
  );
  expect(command.err.match(/\berror:/g)).toHaveLength(1);
  expect(await workspace.gone()).toBe(true);
});

test('the replicator is told to stop by somebody else: `run` does not wait for it for ever', async () => {
  await using source = await filledServer();
  await using target = await startServer();
  await using workspace = await Workspace.open();
  const spec = await workspace.write(existing(source, target));
  await using command = new CommandProcess(['run', spec], workspace.out);
  await command.printed(/Synchronizing/);
  const replicator = workspace.processes().find(({ what }) => what === 'replicator source');
  expect(replicator && signalProcess(replicator, 'SIGTERM')).toBe(true);
  expect(await command.ended).toEqual({ code: 5, signal: null });
  expect(command.err).toMatch(/replicator of source ended without being told to/);
});

test('the target goes away: `run` waits for it, Ctrl-C does not', async () => {
  await using source = await filledServer();
  const target = await startServer();
  await using workspace = await Workspace.open();
  const spec = await workspace.write({ ...existing(source, target), engine: { retry: '10m' } });
  await using command = new CommandProcess(['run', spec], workspace.out);
  await command.printed(/Synchronizing/);
  await target.stop();
  await ask(source.endpoint, 'SET', 'unapplied', '1');
  await command.said(/Synchronizing → Retrying/);
  command.interrupt();
  expect(await command.ended).toEqual({ code: 0, signal: null });
  expect(command.out).toMatch(/Retrying {2}applied \d+ of \d+, lag \d+ bytes, 0 commands\n$/);
});

test('the replicator is killed: `run` ends with the reason, and goes on from the checkpoint when started again', async () => {
  await using source = await filledServer();
  await using target = await startServer();
  await using workspace = await Workspace.open();
  const spec = await workspace.write(existing(source, target));
  {
    await using command = new CommandProcess(['run', spec], workspace.out);
    await command.printed(/Synchronizing/);
    const replicator = workspace.processes().find(({ what }) => what === 'replicator source');
    expect(replicator && signalProcess(replicator, 'SIGKILL')).toBe(true);
    expect((await command.ended).code).toBeGreaterThan(0);
    expect(command.err).toMatch(/replicator of source died \(SIGKILL\)/);
    expect(command.err.match(/\berror:/g)).toHaveLength(1);
  }
  await ask(source.endpoint, 'SET', 'meanwhile', '1');
  const again = await workspace.command(['run', spec, '--until', 'synced']);
  expect(again.exitCode).toBe(0);
  expect(await ask(target.endpoint, 'GET', 'meanwhile')).toEqual(Buffer.from('1'));
  expect((await syncsOf(source.endpoint)).full).toBe(1);
});

/** Between a source behind a proxy and a target of the run's own. */
function rehearsal(proxy?: Proxy): Record<string, unknown> {
  return {
    name: 'broken',
    instances: { source: { url: proxy?.url ?? '', disposable: true }, target: {} },
    topology: { kind: 'one-way', source: 'source', target: 'target' },
    data: [],
    workload: [],
    engine: { heartbeat: 'off', retry: '1s' },
    report: { formats: ['json'] },
  };
}

function existing(source: TestServer, target: TestServer): Record<string, unknown> {
  return { ...rehearsal(), instances: { source: { url: urlOf(source) }, target: { url: urlOf(target) } } };
}

/** With values that do not compress, so that a byte in the middle of the snapshot is a byte of a value. */
async function filledServer(): Promise<TestServer> {
  const server = await startServer({ 'repl-diskless-sync': 'yes' });
  await using connection = await Connection.open(server.endpoint);
  await connection.pipeline(
    Array.from({ length: KEYS }, (_, index) => [
      'SET',
      `key:${index}`,
      createHash('shake256', { outputLength: 256 }).update(`${index}`).digest(),
    ]),
  );
  return server;
}

function statesIn(events: readonly RunEvent[]): string[] {
  return events.flatMap((event) => (event.kind === 'link-state' ? [event.to] : []));
}
