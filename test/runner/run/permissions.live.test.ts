/** The accounts of docs/permissions.md, as they stand there: what they suffice for, and what each missing right leads to. */
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { Connection } from '../../../engine/connect/connection.ts';
import { command } from '../../support/replication.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { Workspace, type Outcome } from './workspace.ts';

const DOCUMENT = new URL('../../../docs/permissions.md', import.meta.url);
const ENV = { ...process.env, PERMISSIONS_TEST_PASSWORD: 'p' };

type Account = 'sync-source' | 'sync-target' | 'sync-compare';

/** The words behind `on >PASSWORD` in the document. */
async function rulesOf(account: Account): Promise<string[]> {
  const text = await readFile(DOCUMENT, 'utf8');
  const line = new RegExp(`^ACL SETUSER ${account} on >PASSWORD (.*)$`, 'm').exec(text)?.[1];
  if (line === undefined) throw new Error(`${account} is not in the document`);
  return line.split(' ');
}

async function create(server: TestServer, account: Account, ...without: string[]): Promise<void> {
  const rules = await rulesOf(account);
  await command(server.endpoint, 'ACL', 'SETUSER', account, 'reset', 'on', '>p', ...rules, ...without);
}

function specOf(
  source: TestServer,
  target: TestServer,
  accounts: [Account, Account],
): Record<string, unknown> {
  const instance = ({ port }: TestServer, username: Account): object => ({
    url: `redis://127.0.0.1:${port}`,
    username,
    password: '${PERMISSIONS_TEST_PASSWORD}',
  });
  return {
    name: 'permissions',
    instances: { source: instance(source, accounts[0]), target: instance(target, accounts[1]) },
    topology: { kind: 'one-way', source: 'source', target: 'target' },
  };
}

/** A key of every type, in two databases, some with an expiry. */
async function fill({ endpoint }: TestServer): Promise<void> {
  await using connection = await Connection.open(endpoint);
  const replies = await connection.pipeline([
    ['SET', 'string', 'v', 'PX', 3_600_000],
    ['HSET', 'hash', 'f', 'v'],
    ['RPUSH', 'list', 'a', 'b'],
    ['SADD', 'set', 'a'],
    ['ZADD', 'zset', 1, 'a'],
    ['XADD', 'stream', '1-1', 'f', 'v'],
    ['PFADD', 'hll', 'a'],
    ['SELECT', 12],
    ['SET', 'in twelve', 'v'],
  ]);
  expect(replies).toHaveLength(9);
}

async function replicate(workspace: Workspace, source: TestServer, target: TestServer): Promise<Outcome> {
  const spec = await workspace.write(specOf(source, target, ['sync-source', 'sync-target']));
  return workspace.command(['run', spec, '--until', 'synced', '--verbose'], ENV);
}

test('with the documented accounts everything is replicated, and compared with nothing written', async () => {
  await using source = await startServer();
  await using target = await startServer();
  await using workspace = await Workspace.open();
  await fill(source);
  await create(source, 'sync-source');
  await create(target, 'sync-target');
  const replicated = await replicate(workspace, source, target);
  expect(replicated.err).not.toMatch(/error|LATENCY_UNRELIABLE/);
  expect(replicated.exitCode).toBe(0);
  for (const server of [source, target]) await create(server, 'sync-compare');
  for (const method of ['snapshot', 'commands']) {
    const spec = { ...specOf(source, target, ['sync-compare', 'sync-compare']), compare: { method } };
    const compared = await workspace.command(['compare', await workspace.write(spec)], ENV);
    expect(compared.exitCode, `${compared.out}${compared.err}`).toBe(0);
    expect((await workspace.results()).comparison).toMatchObject({ keysCompared: 8 });
  }
});

/** What the document says of each right of the source's account that is missing from the start. */
test.each<[string, string[], number, RegExp]>([
  ['psync', ['-psync'], 3, /NOPERM.*'psync'/],
  ['replconf', ['-replconf'], 3, /priv\.replication.*NOPERM.*'replconf'/],
  ['setex', ['-setex'], 0, /LATENCY_UNRELIABLE.*NOPERM.*'setex'/],
  ['the key pattern', ['resetkeys'], 0, /LATENCY_UNRELIABLE.*NOPERM/],
  ['del', ['-del'], 0, /Stopped/],
  ['time', ['-time'], 0, /Stopped/],
  ['info', ['-info'], 3, /NOPERM.*'info'/],
])('a source account without %s', async (_right, without, exitCode, said) => {
  await using source = await startServer();
  await using target = await startServer();
  await using workspace = await Workspace.open();
  await fill(source);
  await create(source, 'sync-source', ...without);
  await create(target, 'sync-target');
  const outcome = await replicate(workspace, source, target);
  expect(outcome.err).toMatch(said);
  expect(outcome.exitCode).toBe(exitCode);
});

test.each<[string, string[], number, RegExp]>([
  ['restore', ['-restore'], 3, /priv\.write\.destination.*RESTORE.*NOPERM/],
  ['zadd', ['-zadd'], 0, /Stopped/],
  ['hset', ['-hset'], 3, /priv\.write\.destination.*HSET.*NOPERM/],
  ['select', ['-select'], 3, /NOPERM.*'select'/],
  ['hmget', ['-hmget'], 3, /NOPERM.*'hmget'/],
  ['multi', ['-multi'], 1, /NOPERM.*'multi'/],
  ['scan', ['-scan'], 1, /NOPERM.*'scan'/],
  ['info', ['-info'], 3, /NOPERM.*'info'/],
  ['role', ['-role'], 0, /Stopped/],
  ['time', ['-time'], 0, /Stopped/],
  ['pexpiretime', ['-pexpiretime'], 0, /EXPIRY_LATE.*NOPERM.*'pexpiretime'/],
  ['keys of its own', ['resetkeys', '~string', '~hash'], 3, /NOPERM/],
])('a target account without %s', async (_right, without, exitCode, said) => {
  await using source = await startServer();
  await using target = await startServer();
  await using workspace = await Workspace.open();
  await fill(source);
  await create(source, 'sync-source');
  await create(target, 'sync-target', ...without);
  const spec = specOf(source, target, ['sync-source', 'sync-target']);
  const path = await workspace.write({ ...spec, engine: { retry: '1s' } });
  const outcome = await workspace.command(['run', path, '--until', 'synced', '--verbose'], ENV);
  expect(outcome.err).toMatch(said);
  expect(outcome.exitCode).toBe(exitCode);
});
