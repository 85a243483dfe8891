/** `run`: replication between two servers that exist, until told to stop, and on from there. */
import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Connection } from '../../../engine/connect/connection.ts';
import type { Endpoint } from '../../../engine/connect/endpoint.ts';
import { parseInfo, textOf } from '../../../engine/resp/reply-text.ts';
import { startServer, type TestServer, urlOf } from '../../support/server.ts';
import { CommandProcess } from './command-process.ts';
import { Workspace } from './workspace.ts';

const PASSWORD = 'correct-horse%battery:staple';

test('until synced: replicates, prints its states, and ends with 0', async () => {
  await using source = await startServer();
  await using target = await startServer();
  await using workspace = await Workspace.open();
  await fill(source.endpoint, 500);
  const { exitCode, out, err } = await workspace.command([
    'run',
    await workspace.write(between(source, target)),
    '--until',
    'synced',
  ]);
  expect(err).not.toContain('error');
  expect(exitCode).toBe(0);
  expect(out).toMatch(/^source-to-target {2}Finished {2}applied \d+ of \d+, lag 0 bytes/m);
  expect(await keysOf(target.endpoint)).toEqual(await keysOf(source.endpoint));
});

test('until synced with --json: one document per line, the last with everything applied', async () => {
  await using source = await startServer();
  await using target = await startServer();
  await using workspace = await Workspace.open();
  await fill(source.endpoint, 50);
  const spec = await workspace.write(between(source, target));
  const { exitCode, out } = await workspace.command(['run', spec, '--until', 'synced', '--json']);
  expect(exitCode).toBe(0);
  const states = out
    .trimEnd()
    .split('\n')
    .map((text): unknown => JSON.parse(text));
  expect(states.at(-1)).toMatchObject({ link: 'source-to-target', state: 'Finished', lagBytes: 0 });
});

test('Ctrl-C stops cleanly; started again it goes on without a second full sync', async () => {
  await using source = await startServer();
  await using target = await startServer();
  await using workspace = await Workspace.open();
  await fill(source.endpoint, 200);
  const spec = await workspace.write(between(source, target));
  {
    await using first = new CommandProcess(['run', spec], workspace.out);
    await first.printed(/Synchronizing {2}applied \d+ of \d+, lag /);
    await write(source.endpoint, 'while:streaming', '1');
    await arrived(target.endpoint, 'while:streaming');
    first.interrupt();
    expect(await first.ended).toEqual({ code: 0, signal: null });
    expect(first.groupLives).toBe(false);
    expect(first.err).toContain('Start it again to go on from here');
  }
  expect(await syncs(source.endpoint)).toEqual({ full: 1, partial: 0 });
  expect(await keysOf(target.endpoint)).toEqual(await keysOf(source.endpoint));

  await write(source.endpoint, 'while:stopped', '2');
  await write(source.endpoint, 'key:1', 'changed while it was stopped');
  const again = await workspace.command(['run', spec, '--until', 'synced']);
  expect(again.err).not.toContain('error');
  expect(again.exitCode).toBe(0);
  expect(await syncs(source.endpoint)).toEqual({ full: 1, partial: 1 });
  expect(await keysOf(target.endpoint)).toEqual(await keysOf(source.endpoint));
  expect(workspace.strays()).toEqual([]);
});

test('stopped in the middle of its full sync it does not build on the half, but replaces it', async () => {
  await using source = await startServer({ 'rdb-key-save-delay': '2000' });
  await using target = await startServer();
  await using workspace = await Workspace.open();
  await fill(source.endpoint, 2000);
  const spec = await workspace.write(between(source, target));
  {
    await using first = new CommandProcess(['run', spec, '--json'], workspace.out);
    await first.printed(/"snapshot":\{"keys":[1-9]/);
    first.interrupt();
    expect((await first.ended).code).not.toBe(0);
    expect(first.err).toContain('in the middle of the full sync');
  }
  expect((await keysOf(target.endpoint)).size).toBeLessThan(2000);
  await using connection = await Connection.open(source.endpoint);
  await connection.call('CONFIG', 'SET', 'rdb-key-save-delay', '0');
  // What the half had and the source has not any more must go.
  const gone = [...(await keysOf(target.endpoint)).keys()][0] ?? '';
  await connection.call('DEL', gone);
  const again = await workspace.command(['run', spec, '--until', 'synced']);
  expect(again.err).not.toContain('error');
  expect(again.exitCode).toBe(0);
  expect(await keysOf(target.endpoint)).toEqual(await keysOf(source.endpoint));
});

test('passwords come from the environment and from a file, and are never shown', async () => {
  await using source = await startServer({ requirepass: PASSWORD });
  await using target = await startServer({ requirepass: PASSWORD });
  await using workspace = await Workspace.open();
  const withPassword = { username: 'default', password: PASSWORD };
  await fill({ ...source.endpoint, ...withPassword }, 50);
  await writeFile(join(workspace.folder, 'target.secret'), `${PASSWORD}\n`);
  const spec = await workspace.write({
    ...between(source, target),
    instances: {
      source: { url: urlOf(source), username: 'default', password: '${E2E_SECRET}' },
      target: { url: urlOf(target), username: 'default', passwordFile: 'target.secret' },
    },
  });
  const env = { E2E_SECRET: PASSWORD };
  await using run = new CommandProcess(['run', spec, '--until', 'synced', '--verbose'], workspace.out, env);
  expect(await run.ended).toEqual({ code: 0, signal: null });
  expect(await keysOf({ ...target.endpoint, ...withPassword })).toEqual(
    await keysOf({ ...source.endpoint, ...withPassword }),
  );
  await using wrong = new CommandProcess(['run', spec, '--verbose'], workspace.out, {
    E2E_SECRET: `${PASSWORD}x`,
  });
  expect(await wrong.ended).toEqual({ code: 3, signal: null });
  const shown = [run.out, run.err, wrong.out, wrong.err, ...(await contentsOf(workspace.out))];
  for (const secret of [PASSWORD, encodeURIComponent(PASSWORD)])
    expect(shown.filter((text) => text.includes(secret))).toEqual([]);
  // What was searched is what was written.
  expect(shown.some((text) => text.includes('"kind":"link-state"'))).toBe(true);
});

function between(source: TestServer, target: TestServer): Record<string, unknown> {
  return {
    name: 'replicate',
    instances: { source: { url: urlOf(source) }, target: { url: urlOf(target) } },
    topology: { kind: 'one-way', source: 'source', target: 'target' },
  };
}

async function fill(endpoint: Endpoint, keys: number): Promise<void> {
  await using connection = await Connection.open(endpoint);
  await connection.pipeline(
    Array.from({ length: keys }, (_, index) => ['SET', `key:${index}`, valueOf(index)]),
  );
}

/** 256 characters that do not compress, so that a snapshot has the size it seems to have. */
function valueOf(index: number): string {
  return createHash('shake256', { outputLength: 128 }).update(`${index}`).digest('hex');
}

async function write(endpoint: Endpoint, key: string, value: string): Promise<void> {
  await using connection = await Connection.open(endpoint);
  await connection.call('SET', key, value);
}

/** Resolves when the key is there. */
async function arrived(endpoint: Endpoint, key: string): Promise<void> {
  await using connection = await Connection.open(endpoint);
  while ((await connection.call('EXISTS', key)) !== 1) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Every key that is not our own, with its value. */
async function keysOf(endpoint: Endpoint): Promise<Map<string, string>> {
  await using connection = await Connection.open(endpoint);
  const reply = await connection.call('KEYS', '*');
  const names = Array.isArray(reply) ? reply.map(String) : [];
  const keys = names.filter((name) => !/^(redis-sync:|DTS_REDIS_)/.test(name)).toSorted();
  const values = await connection.pipeline(keys.map((key) => ['GET', key]));
  return new Map(keys.map((key, index) => [key, textOf(values[index] ?? null)]));
}

async function syncs(endpoint: Endpoint): Promise<{ full: number; partial: number }> {
  await using connection = await Connection.open(endpoint);
  const stats = parseInfo(await connection.call('INFO', 'stats'));
  return { full: Number(stats['sync_full']), partial: Number(stats['sync_partial_ok']) };
}

async function contentsOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), 'latin1')));
}
