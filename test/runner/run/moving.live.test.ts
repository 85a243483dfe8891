/** `run` while its endpoints change: SIGHUP, lists, TLS-less and password files; and what it tells over HTTP meanwhile. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Connection } from '../../../engine/connect/connection.ts';
import type { Endpoint } from '../../../engine/connect/endpoint.ts';
import { textOf } from '../../../engine/resp/reply-text.ts';
import { caughtUp, command, promote, startReplica, syncsOf } from '../../support/replication.ts';
import { startSentinel } from '../../support/sentinel.ts';
import { startServer, urlOf } from '../../support/server.ts';
import { until } from '../../support/until.ts';
import { CommandProcess } from './command-process.ts';
import { Workspace } from './workspace.ts';

const LINK = 'source-to-target';

function specOf(source: object, target: object, more: object = {}): Record<string, unknown> {
  return {
    name: 'moving',
    instances: { source, target },
    topology: { kind: 'one-way', source: 'source', target: 'target' },
    ...more,
  };
}

async function get(endpoint: Endpoint, key: string): Promise<string> {
  return textOf(await command(endpoint, 'GET', key));
}

async function fill(endpoint: Endpoint, keys: number): Promise<void> {
  await using connection = await Connection.open(endpoint);
  await connection.pipeline(Array.from({ length: keys }, (_, index) => ['SET', `key:${index}`, index]));
}

/** Where the command serves its metrics. */
async function metricsOf(run: CommandProcess): Promise<string> {
  return until(async () => /Metrics: (http:\S+)\/metrics/.exec(run.err)?.[1]);
}

async function fetchText(address: string, method = 'GET'): Promise<{ status: number; text: string }> {
  const response = await fetch(address, { method });
  return { status: response.status, text: await response.text() };
}

async function stateOf(base: string): Promise<Record<string, unknown>> {
  const { text } = await fetchText(`${base}/status`);
  const { links }: { links: Record<string, unknown>[] } = JSON.parse(text);
  return links[0] ?? {};
}

test('SIGHUP: the source is at another address in the spec, and the running link continues there', async () => {
  await using old = await startServer();
  await using target = await startServer();
  await using workspace = await Workspace.open();
  await fill(old.endpoint, 100);
  const spec = await workspace.write(specOf({ url: urlOf(old) }, { url: urlOf(target) }));
  await using run = new CommandProcess(['run', spec, '--metrics-port', '0'], workspace.out);
  const base = await metricsOf(run);
  await run.event((event) => event.kind === 'link-state' && event.to === 'Synchronizing');
  await using moved = await startReplica(old.endpoint);
  await caughtUp(old.endpoint, moved.endpoint);
  await until(async () => (await stateOf(base))['lagBytes'] === 0);
  await promote(moved.endpoint);
  await old.stop();

  await workspace.write(specOf({ url: urlOf(moved) }, { url: urlOf(target) }, { engine: { retry: '1m' } }));
  run.kill('SIGHUP');
  await run.event((event) => event.kind === 'finding' && event.code === 'ENDPOINT_CHANGED');
  await command(moved.endpoint, 'SET', 'after', 'the move');
  await until(async () => (await get(target.endpoint, 'after')) === 'the move');
  expect(await syncsOf(moved.endpoint)).toMatchObject({ full: 0, partial: 1 });
  expect(run.err).toContain(`source is 127.0.0.1:${moved.port} now`);
  const needsRestart = run
    .events()
    .find((event) => event.kind === 'finding' && event.code === 'SPEC_CHANGED');
  expect(needsRestart).toMatchObject({ message: expect.stringContaining('engine (retryMs)') });
  run.interrupt();
  expect(await run.ended).toEqual({ code: 0, signal: null });
  expect(run.groupLives).toBe(false);
});

test('SIGHUP with a spec that is wrong now: named, and the link goes on with the old one', async () => {
  await using source = await startServer();
  await using target = await startServer();
  await using workspace = await Workspace.open();
  const spec = await workspace.write(specOf({ url: urlOf(source) }, { url: urlOf(target) }));
  await using run = new CommandProcess(['run', spec], workspace.out);
  await run.event((event) => event.kind === 'link-state' && event.to === 'Synchronizing');
  await workspace.write(specOf({ url: 'http://nowhere' }, { url: urlOf(target) }));
  run.kill('SIGHUP');
  const finding = await run.event((event) => event.kind === 'finding' && event.code === 'SPEC_CHANGED');
  expect(finding).toMatchObject({ message: expect.stringContaining('does not begin with redis://') });
  await command(source.endpoint, 'SET', 'still', 'flowing');
  await until(async () => (await get(target.endpoint, 'still')) === 'flowing');
});

test('urls and passwordFile in a spec: failover of the source and a changed password of the target, without a restart', async () => {
  await using primary = await startServer();
  await using replica = await startReplica(primary.endpoint);
  await using target = await startServer({ requirepass: 'first' });
  await using workspace = await Workspace.open();
  const secret = join(workspace.folder, 'secret');
  await writeFile(secret, 'first\n');
  await fill(primary.endpoint, 100);
  const spec = await workspace.write(
    specOf({ urls: [urlOf(primary), urlOf(replica)] }, { url: urlOf(target), passwordFile: 'secret' }),
  );
  await using run = new CommandProcess(['run', spec, '--metrics-port', '0'], workspace.out);
  const base = await metricsOf(run);
  await run.event((event) => event.kind === 'link-state' && event.to === 'Synchronizing');
  await caughtUp(primary.endpoint, replica.endpoint);
  await until(async () => (await stateOf(base))['lagBytes'] === 0);
  await promote(replica.endpoint);
  await primary.stop();
  await run.event((event) => event.kind === 'finding' && event.code === 'ENDPOINT_CHANGED');
  {
    await using admin = await Connection.open({ ...target.endpoint, password: 'first' });
    await admin.pipeline([
      ['CONFIG', 'SET', 'requirepass', 'second'],
      ['CLIENT', 'KILL', 'TYPE', 'normal'],
    ]);
  }
  await command(replica.endpoint, 'SET', 'after', 'both');
  await until(async () => JSON.stringify(await stateOf(base)).includes('WRONGPASS'));
  await writeFile(secret, 'second\n');
  const withPassword = { ...target.endpoint, password: 'second' };
  await until(async () => (await get(withPassword, 'after')) === 'both');
  expect((await syncsOf(replica.endpoint)).full).toBe(0);
  run.interrupt();
  expect(await run.ended).toEqual({ code: 0, signal: null });
  const written = await readFile(join(workspace.latest, 'events.ndjson'), 'utf8');
  expect(`${written}${run.out}${run.err}`).not.toMatch(/"(first|second)"|: (first|second)\b/);
});

test('sentinel in a spec: found, failed over, stopped and started again', async () => {
  await using primary = await startServer();
  await using replica = await startReplica(primary.endpoint);
  await using target = await startServer();
  await using sentinel = await startSentinel({ name: 'main', primary: primary.endpoint, quorum: 1 });
  await using workspace = await Workspace.open();
  await fill(primary.endpoint, 50);
  const node = `redis://127.0.0.1:${sentinel.endpoint.port}`;
  const spec = await workspace.write(
    specOf({ sentinel: { name: 'main', nodes: [node] } }, { url: urlOf(target) }),
  );
  const first = await workspace.command(['run', spec, '--until', 'synced']);
  expect(first.err).not.toContain('error');
  expect(first.exitCode).toBe(0);
  await caughtUp(primary.endpoint, replica.endpoint);
  await until(() => command(sentinel.endpoint, 'SENTINEL', 'FAILOVER', 'main').catch(() => false as const));
  const named = async (): Promise<string> =>
    textOf(await command(sentinel.endpoint, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'main'));
  await until(async () => (await named()).endsWith(` ${replica.port}`));
  await until(() => command(replica.endpoint, 'SET', 'after', 'failover').catch(() => false as const));
  const again = await workspace.command(['run', spec, '--until', 'synced']);
  expect(again.err).not.toContain('error');
  expect(again.exitCode).toBe(0);
  expect(await get(target.endpoint, 'after')).toBe('failover');
  expect((await syncsOf(replica.endpoint)).full).toBe(0);
});

test('metrics, status and health; paused nothing is applied, resumed everything', async () => {
  await using source = await startServer();
  await using target = await startServer();
  await using workspace = await Workspace.open();
  await fill(source.endpoint, 200);
  const spec = await workspace.write(specOf({ url: urlOf(source) }, { url: urlOf(target) }));
  await using run = new CommandProcess(['run', spec, '--metrics-port', '0'], workspace.out);
  const base = await metricsOf(run);
  await run.event((event) => event.kind === 'link-state' && event.to === 'Synchronizing');
  await until(async () =>
    (await fetchText(`${base}/metrics`)).text.includes(
      'redis_sync_link_snapshot_keys{link="source-to-target",source="source",target="target"} 200',
    ),
  );
  expect(await fetchText(`${base}/healthz`)).toEqual({ status: 200, text: 'ok\n' });

  expect((await fetchText(`${base}/pause?link=${LINK}`, 'POST')).status).toBe(204);
  await run.event((event) => event.kind === 'link-state' && event.to === 'Suspending');
  await command(source.endpoint, 'SET', 'while', 'paused');
  await until(async () => {
    const { state, lagBytes } = await stateOf(base);
    return state === 'Suspending' && Number(lagBytes) > 0;
  });
  expect(await get(target.endpoint, 'while')).toBe('(nil)');
  expect((await fetchText(`${base}/resume`, 'POST')).status).toBe(204);
  await run.event((event) => event.kind === 'link-state' && event.from === 'Suspending');
  await until(async () => (await get(target.endpoint, 'while')) === 'paused');
  const text = await until(async () => {
    const metrics = (await fetchText(`${base}/metrics`)).text;
    return /redis_sync_link_stream_commands_total\{[^}]*\} [1-9]/.test(metrics) && metrics;
  });
  expect(text).toContain(
    `redis_sync_link_state{link="${LINK}",source="source",target="target",state="Synchronizing"} 1`,
  );

  // A source that is away is told as such, with the newest reason.
  await source.stop();
  await until(async () => JSON.stringify(await stateOf(base)).includes('ECONNREFUSED'));
  run.interrupt();
  expect((await run.ended).code).toBe(0);
  await expect(fetch(`${base}/healthz`)).rejects.toThrow('fetch failed');
});

test('a port that is taken ends the command before anything is moved', async () => {
  await using source = await startServer();
  await using target = await startServer();
  await using workspace = await Workspace.open();
  await fill(source.endpoint, 10);
  const spec = await workspace.write(specOf({ url: urlOf(source) }, { url: urlOf(target) }));
  const outcome = await workspace.command(['run', spec, '--metrics-port', String(source.port)]);
  expect(outcome.exitCode).toBe(2);
  expect(outcome.err).toMatch(/--metrics-port.*EADDRINUSE/);
  expect(await command(target.endpoint, 'DBSIZE')).toBe(0);
});

test('a source that came back empty ends the command, and the message says what to do', async () => {
  await using first = await startServer();
  await using target = await startServer();
  await using workspace = await Workspace.open();
  await fill(first.endpoint, 100);
  const spec = await workspace.write(specOf({ url: urlOf(first) }, { url: urlOf(target) }));
  expect((await workspace.command(['run', spec, '--until', 'synced'])).exitCode).toBe(0);
  await first.stop();
  await using empty = await startServer({ port: String(first.port) });
  const { exitCode, err } = await workspace.command(['run', spec, '--until', 'synced']);
  expect(exitCode).toBe(1);
  expect(err).toContain('SOURCE_REGRESSED');
  expect(err).toMatch(/hint: .*engine\.emptySource/);
  expect(await command(target.endpoint, 'EXISTS', 'key:0', 'key:99')).toBe(2);
  const follow = await workspace.write(
    specOf({ url: urlOf(empty) }, { url: urlOf(target) }, { engine: { emptySource: 'follow' } }),
  );
  expect((await workspace.command(['run', follow, '--until', 'synced'])).exitCode).toBe(0);
  expect(await command(target.endpoint, 'EXISTS', 'key:0', 'key:99')).toBe(0);
});
