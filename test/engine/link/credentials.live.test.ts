/** Passwords that are changed and rights that are taken away while a link runs. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Connection } from '../../../engine/connect/connection.ts';
import type { Endpoint } from '../../../engine/connect/endpoint.ts';
import { command } from '../../support/replication.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { until } from '../../support/until.ts';
import { fill, LiveLink, stringsOf } from './live-link.ts';

let folder = '';
let file = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'redis-sync-rotation-'));
  file = join(folder, 'secret');
});
afterEach(() => rm(folder, { recursive: true }));

/** An account beside the default one, through which the test itself keeps access. */
async function withAccount(server: TestServer, ...rules: string[]): Promise<Endpoint> {
  await command(
    server.endpoint,
    'ACL',
    'SETUSER',
    'link',
    'reset',
    'on',
    '>old',
    '+@all',
    '~*',
    '&*',
    ...rules,
  );
  return { ...server.endpoint, username: 'link' };
}

/** The account gets another password, and its connections are ended: the next login needs the new one. */
async function rotate(server: TestServer, password: string): Promise<void> {
  await using connection = await Connection.open(server.endpoint);
  await connection.pipeline([
    ['ACL', 'SETUSER', 'link', 'resetpass', `>${password}`],
    ['CLIENT', 'KILL', 'USER', 'link'],
  ]);
}

/** How often a login was refused since the log was last emptied. */
async function refusedLogins({ endpoint }: TestServer): Promise<number> {
  const log = await command(endpoint, 'ACL', 'LOG');
  const entries = Array.isArray(log) ? log : [];
  return entries.reduce<number>((sum, entry) => sum + Number(Array.isArray(entry) ? entry[1] : 0), 0);
}

test('the source gets another password: with a passwordFile the link waits for the new one and goes on', async () => {
  await using source = await startServer();
  await using target = await startServer();
  await writeFile(file, 'old\n');
  const account = await withAccount(source);
  await fill(source.endpoint, 50);
  await using link = await LiveLink.start({ ...account, passwordFile: file }, target.endpoint);
  await link.state('Synchronizing');
  await rotate(source, 'new');
  await link.state('Retrying');
  await until(async () => (await refusedLogins(source)) > 0);
  await writeFile(file, 'new\n');
  await link.heard((message) => message.kind === 'sync-started' && message.mode === 'partial');
  await command(source.endpoint, 'SET', 'after', 'rotation');
  await link.drained(source.endpoint);
  expect(await stringsOf(target.endpoint)).toEqual(await stringsOf(source.endpoint));
  expect(link.status).toMatchObject({ state: 'Synchronizing', fullResyncs: 1, partialResyncs: 1 });
});

test('the target gets another password: the same', async () => {
  await using source = await startServer();
  await using target = await startServer();
  await writeFile(file, 'link:old\n');
  await withAccount(target);
  await using link = await LiveLink.start(source.endpoint, { ...target.endpoint, passwordFile: file });
  await link.state('Synchronizing');
  await rotate(target, 'new');
  await command(source.endpoint, 'INCR', 'n');
  await link.heard((message) => message.kind === 'link-state' && message.to === 'Retrying');
  await command(source.endpoint, 'INCR', 'n');
  await writeFile(file, 'link:new\n');
  await link.state('Synchronizing');
  await link.drained(source.endpoint);
  expect(await stringsOf(target.endpoint)).toEqual({ n: '2' });
});

test('logins that are refused are tried seldom, so that no account is locked', async () => {
  await using source = await startServer();
  await using target = await startServer();
  await writeFile(file, 'old\n');
  const account = await withAccount(source);
  await using link = await LiveLink.start({ ...account, passwordFile: file }, target.endpoint, {
    heartbeatMs: 0,
  });
  await link.state('Synchronizing');
  await command(source.endpoint, 'ACL', 'LOG', 'RESET');
  await rotate(source, 'new');
  await link.state('Retrying');
  await until(async () => (await refusedLogins(source)) > 0);
  // An ordinary backoff would have tried a dozen times by then.
  await new Promise((resolve) => setTimeout(resolve, 2000));
  expect(await refusedLogins(source)).toBe(1);
});

test('a password that did not come from a file cannot be read again: the link stops and says what would help', async () => {
  await using source = await startServer();
  await using target = await startServer();
  const account = await withAccount(source);
  await using link = await LiveLink.start({ ...account, password: 'old' }, target.endpoint);
  await link.state('Synchronizing');
  await rotate(source, 'new');
  expect(await link.failed()).toMatchObject({
    code: 'AUTH',
    message: expect.stringContaining('WRONGPASS'),
    hint: expect.stringContaining('passwordFile'),
  });
});

test('a wrong password at the start is not waited for, also from a file', async () => {
  await using source = await startServer();
  await using target = await startServer();
  await writeFile(file, 'wrong');
  const account = await withAccount(source);
  await using link = await LiveLink.start({ ...account, passwordFile: file }, target.endpoint);
  expect(await link.failed()).toMatchObject({ code: 'AUTH' });
});

test.each([
  ['writing', ['-set', '-incr']],
  ['the checkpoint', ['-hset', '-hmget']],
  ['everything', ['-@all']],
  ['all keys', ['resetkeys', '~nothing']],
])('%s is forbidden on the target and allowed again: the link waits and goes on', async (_what, rules) => {
  await using source = await startServer();
  await using target = await startServer();
  const account = await withAccount(target);
  await using link = await LiveLink.start(source.endpoint, { ...account, password: 'old' });
  await link.state('Synchronizing');
  await command(target.endpoint, 'ACL', 'SETUSER', 'link', ...rules);
  await command(source.endpoint, 'INCR', 'n');
  await command(source.endpoint, 'SET', 'k', 'v');
  await link.state('Retrying');
  expect(await stringsOf(target.endpoint)).toEqual({});
  await command(target.endpoint, 'ACL', 'SETUSER', 'link', '+@all', '~*');
  await link.state('Synchronizing');
  await link.drained(source.endpoint);
  expect(await stringsOf(target.endpoint)).toEqual({ n: '1', k: 'v' });
});

test('MULTI is forbidden on the target: what came behind it may be applied, so the link stops and says so', async () => {
  await using source = await startServer();
  await using target = await startServer();
  const account = await withAccount(target);
  await using link = await LiveLink.start(source.endpoint, { ...account, password: 'old' });
  await link.state('Synchronizing');
  await command(target.endpoint, 'ACL', 'SETUSER', 'link', '-multi');
  await command(source.endpoint, 'INCR', 'n');
  expect(await link.failed()).toMatchObject({
    code: 'APPLY_REFUSED',
    message: expect.stringContaining("permissions to run the 'multi' command"),
    hint: expect.stringContaining('+multi +exec'),
  });
});

test.each(['psync', 'replconf'])(
  '%s is forbidden on the source and allowed again: the link waits and continues',
  async (right) => {
    await using source = await startServer();
    await using target = await startServer();
    const account = await withAccount(source);
    await using link = await LiveLink.start({ ...account, password: 'old' }, target.endpoint, {
      heartbeatMs: 0,
    });
    await link.state('Synchronizing');
    await command(source.endpoint, 'ACL', 'SETUSER', 'link', `-${right}`);
    if (right === 'psync') {
      // A running replication is not touched by it; the next one is. Without REPLCONF the next acknowledgement ends it.
      await command(source.endpoint, 'SET', 'k', 'still flowing');
      await until(async () => (await stringsOf(target.endpoint))['k'] === 'still flowing');
    }
    await command(source.endpoint, 'CLIENT', 'KILL', 'TYPE', 'replica');
    await link.heard(
      (message) =>
        message.kind === 'link-state' && message.to === 'Retrying' && message.from === 'Synchronizing',
    );
    await until(async () => link.status.waitingFor.source?.includes(`'${right}' command`));
    await command(source.endpoint, 'SET', 'k', 'meanwhile');
    await command(source.endpoint, 'ACL', 'SETUSER', 'link', `+${right}`);
    await link.heard((message) => message.kind === 'sync-started' && message.mode === 'partial');
    await link.drained(source.endpoint);
    expect(await stringsOf(target.endpoint)).toEqual({ k: 'meanwhile' });
  },
);

test('the right to write the heartbeat is missing: the lag in time is unknown, everything else goes on', async () => {
  await using source = await startServer();
  await using target = await startServer();
  const account = await withAccount(source, '-setex');
  await using link = await LiveLink.start({ ...account, password: 'old' }, target.endpoint);
  await link.state('Synchronizing');
  await link.heard((message) => message.kind === 'finding' && message.code === 'LATENCY_UNRELIABLE');
  await command(source.endpoint, 'SET', 'k', 'v');
  await link.drained(source.endpoint);
  expect(link.findings('LATENCY_UNRELIABLE')).toMatchObject([
    { message: expect.stringContaining('NOPERM'), severity: 'warning' },
  ]);
  expect(link.status.lagMs).toBeNull();
  expect(await stringsOf(target.endpoint)).toEqual({ k: 'v' });
});
