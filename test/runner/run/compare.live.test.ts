/** `compare`: two servers that exist, read only. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Connection } from '../../../engine/connect/connection.ts';
import type { Endpoint } from '../../../engine/connect/endpoint.ts';
import { parseInfo, textOf } from '../../../engine/resp/reply-text.ts';
import { ReplyError } from '../../../engine/resp/reply.ts';
import { parseResults } from '../../../reports/parse-results.ts';
import { freePort, startServer, type TestServer, urlOf } from '../../support/server.ts';
import { Workspace } from './workspace.ts';

let source: TestServer;
let target: TestServer;

beforeAll(async () => {
  [source, target] = await Promise.all([startServer(), startServer()]);
});
afterAll(() => Promise.all([source.stop(), target.stop()]));
beforeEach(async () => {
  for (const { endpoint } of [source, target]) {
    await commands(endpoint, ['FLUSHALL'], ...DATA, ['SELECT', '12'], ...DATA);
  }
});

const DATA = [
  ['SET', 'text', 'value'],
  ['SET', 'brief', 'value', 'PXAT', '4102444800000'],
  ['HSET', 'hash', 'f', '1', 'g', '2'],
  ['RPUSH', 'list', 'a', 'b', 'c'],
  ['SADD', 'set', 'a', 'b', 'c'],
  ['ZADD', 'zset', '0.1', 'a', 'inf', 'b'],
  ['XADD', 'stream', '1-1', 'f', 'v'],
  ['PFADD', 'hll', 'a', 'b', 'c'],
];

test('equal: 0', async () => {
  await using workspace = await Workspace.open();
  const { exitCode, out } = await workspace.command(urls());
  expect(out).toMatch(/PASS .*All 16 keys are equal/);
  expect(exitCode).toBe(0);
});

test('different: 1, with the differences', async () => {
  await using workspace = await Workspace.open();
  await commands(target.endpoint, ['DEL', 'list'], ['SELECT', '12'], ['HSET', 'hash', 'f', '9']);
  const { exitCode, out } = await workspace.command([...urls(), '--json']);
  expect(exitCode).toBe(1);
  const parsed = parseResults(out);
  expect(parsed).toMatchObject({
    kind: 'results',
    results: {
      verdict: 'fail',
      comparison: {
        differences: [
          { class: 'MISSING_KEY', database: 0, key: '"list"' },
          { class: 'VALUE_MISMATCH', database: 12, key: '"hash"' },
        ],
      },
    },
  });
});

test('a spec with urls works as well', async () => {
  await using workspace = await Workspace.open();
  const spec = await workspace.write({
    name: 'after-cutover',
    instances: { old: { url: urlOf(source) }, new: { url: urlOf(target) } },
    topology: { kind: 'one-way', source: 'old', target: 'new' },
    compare: { rounds: 1 },
  });
  expect(await workspace.command(['compare', spec])).toMatchObject({ exitCode: 0 });
  await commands(target.endpoint, ['SET', 'extra', '1']);
  expect(await workspace.command(['compare', spec])).toMatchObject({ exitCode: 1 });
});

test('a password comes from the environment and is not shown', async () => {
  await using locked = await startServer({ requirepass: 'sesame-4711' });
  const open = { ...locked.endpoint, username: 'default', password: 'sesame-4711' };
  await commands(open, ...DATA, ['SELECT', '12'], ...DATA);
  await using workspace = await Workspace.open();
  const argv = ['compare', '--source', urlOf(source), '--target', urlOf(locked)];
  const env = { ...process.env, E2E_TARGET: 'sesame-4711' };
  const { exitCode, out, err } = await workspace.command(
    [...argv, '--target-password-env', 'E2E_TARGET'],
    env,
  );
  expect(exitCode).toBe(0);
  expect(out + err).not.toContain('sesame-4711');
});

describe('it writes nothing', () => {
  test.each([
    ['when both sides are equal', []],
    ['when they differ', ['DEL', 'list']],
  ])('%s', async (_name, planted) => {
    await using workspace = await Workspace.open();
    if (planted.length > 0) await commands(target.endpoint, planted);
    const before = [await stateOf(source.endpoint), await stateOf(target.endpoint)];
    await workspace.command(urls());
    const after = [await stateOf(source.endpoint), await stateOf(target.endpoint)];
    expect(after.map(({ keys, changes }) => ({ keys, changes }))).toEqual(
      before.map(({ keys, changes }) => ({ keys, changes })),
    );
    const used = after.flatMap(({ calls }, index) =>
      [...calls]
        .filter(([name, count]) => count > (before[index]?.calls.get(name) ?? 0))
        .map(([name]) => name),
    );
    expect(used).toContain('scan');
    expect(await writeCommands(source.endpoint, used)).toEqual([]);
  });

  test('and would have been seen to', async () => {
    const before = await stateOf(target.endpoint);
    await commands(target.endpoint, ['SET', 'seen', '1']);
    const after = await stateOf(target.endpoint);
    expect(after.changes).toBeGreaterThan(before.changes);
    expect(await writeCommands(target.endpoint, ['set', 'get'])).toEqual(['set']);
  });
});

describe('it cannot tell', () => {
  test('an unreachable url: 3', async () => {
    await using workspace = await Workspace.open();
    const port = await freePort();
    const { exitCode, err } = await workspace.command([
      'compare',
      '--source',
      urlOf(source),
      '--target',
      `redis://127.0.0.1:${port}`,
    ]);
    expect(exitCode).toBe(3);
    expect(err.match(/error:/g)).toHaveLength(1);
    expect(err).toContain(`127.0.0.1:${port}`);
  });

  test('an account that may not read the values', async () => {
    await using workspace = await Workspace.open();
    await commands(target.endpoint, [
      'ACL',
      'SETUSER',
      'blind',
      'on',
      '>blind-password',
      '~*',
      '+@all',
      '-dump',
      '-@read',
      '-@keyspace',
    ]);
    const argv = ['compare', '--source', urlOf(source), '--target', `redis://blind@127.0.0.1:${target.port}`];
    const env = { ...process.env, E2E_BLIND: 'blind-password' };
    const { exitCode, out } = await workspace.command([...argv, '--target-password-env', 'E2E_BLIND'], env);
    expect(exitCode).toBe(3);
    expect(out).not.toContain('PASS');
  });
});

function urls(): string[] {
  return ['compare', '--source', urlOf(source), '--target', urlOf(target)];
}

async function commands(endpoint: Endpoint, ...list: string[][]): Promise<void> {
  await using connection = await Connection.open(endpoint);
  for (const reply of await connection.pipeline(list)) if (reply instanceof ReplyError) throw reply;
}

interface State {
  keys: string;
  /** The server's own counter of changed keys. */
  changes: number;
  /** Calls by command. */
  calls: Map<string, number>;
}

async function stateOf(endpoint: Endpoint): Promise<State> {
  await using connection = await Connection.open(endpoint);
  const [keyspace = null, persistence = null, stats = null] = await connection.pipeline([
    ['INFO', 'keyspace'],
    ['INFO', 'persistence'],
    ['INFO', 'commandstats'],
  ]);
  const calls = Object.entries(parseInfo(stats)).map(([name, text]): [string, number] => [
    name.replace('cmdstat_', '').replace('|', ' '),
    Number(/calls=(\d+)/.exec(text)?.[1]),
  ]);
  return {
    keys: textOf(keyspace).replaceAll(/,avg_ttl=\d+/g, ''),
    changes: Number(parseInfo(persistence)['rdb_changes_since_last_save']),
    calls: new Map(calls),
  };
}

/** Those of the commands that the server itself calls writing. */
async function writeCommands(endpoint: Endpoint, names: readonly string[]): Promise<string[]> {
  await using connection = await Connection.open(endpoint);
  const containers = names.map((name) => name.split(' ')[0] ?? '');
  const infos = await connection.call('COMMAND', 'INFO', ...containers);
  if (!Array.isArray(infos)) throw new Error('COMMAND INFO answered something else');
  return names.filter((_, index) => {
    const info = infos[index];
    const flags = Array.isArray(info) && Array.isArray(info[2]) ? info[2].map((flag) => textOf(flag)) : [];
    return flags.includes('write');
  });
}
