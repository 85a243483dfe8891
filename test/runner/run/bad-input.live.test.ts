/**
 * What a person can get wrong, and what a server can refuse: each gives one message that says what and where, its exit
 * code, no process that stays, and no target that looks complete.
 */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { command as ask } from '../../support/replication.ts';
import { freePort, startServer, type TestServer, urlOf } from '../../support/server.ts';
import { Workspace, type Outcome } from './workspace.ts';

const MINIMAL = {
  name: 'bad',
  instances: { source: {}, target: {} },
  topology: { kind: 'one-way', source: 'source', target: 'target' },
  data: [{ keys: 10 }],
  workload: [],
};

describe('a spec that cannot be read: 2, before anything is started', () => {
  test('a missing file', async () => {
    await using workspace = await Workspace.open();
    const outcome = await workspace.command(['verify', join(workspace.folder, 'nowhere.yaml')]);
    expect(said(outcome)).toEqual(refusal(2, /nowhere\.yaml: there is no such file/));
    expect(workspace.processes()).toEqual([]);
  });

  test.each<[string, string, RegExp]>([
    ['broken YAML', 'name: bad\ninstances: { source: {, target: {} }\n', /spec\.yaml:2:\d+/],
    [
      'an unknown key',
      `${yaml(MINIMAL)}enginge: { flush: fail }\n`,
      /spec\.yaml:6:1: unknown key "enginge"; did you mean "engine"\?\n *6 \| enginge/,
    ],
    [
      'an unknown instance',
      yaml({ ...MINIMAL, topology: { kind: 'one-way', source: 'sorce', target: 'target' } }),
      /spec\.yaml:3:\d+.*\n?(.*\n)*.*sorce.*\n?(.*\n)*.*source/,
    ],
    [
      'a cycle',
      yaml({
        ...MINIMAL,
        topology: undefined,
        links: [
          { source: 'source', target: 'target' },
          { source: 'target', target: 'source' },
        ],
      }),
      /spec\.yaml:\d+:\d+.*\n?(.*\n)*.*(cycle|circle)/,
    ],
    [
      'a password in the spec',
      yaml({ ...MINIMAL, instances: { source: { url: 'redis://u:sesame@127.0.0.1:1' }, target: {} } }),
      /spec\.yaml:\d+:\d+.*\n?(.*\n)*.*password/,
    ],
  ])('%s', async (_name, text, message) => {
    await using workspace = await Workspace.open();
    const outcome = await workspace.command(['verify', await workspace.write(text)]);
    expect(said(outcome)).toEqual(refusal(2, message));
    expect(outcome.err).not.toContain('sesame');
    expect(workspace.processes()).toEqual([]);
  });

  test('every problem of every spec in one go', async () => {
    await using workspace = await Workspace.open();
    const first = await workspace.write({ ...MINIMAL, name: '', seed: -1 }, 'first.yaml');
    const second = await workspace.write({ ...MINIMAL, incremental: 'soon' }, 'second.yaml');
    const { err } = await workspace.command(['verify', first, second]);
    expect(err).toMatch(/first\.yaml:\d+:\d+/);
    expect(err.match(/(first|second)\.yaml:\d+:\d+/g)?.length).toBeGreaterThanOrEqual(3);
  });
});

describe('servers that cannot be had: 3', () => {
  test('a port in use', async () => {
    await using other = await startServer();
    await using workspace = await Workspace.open();
    const source = { config: { port: other.port } };
    const outcome = await workspace.command([
      'verify',
      await workspace.write({ ...MINIMAL, instances: { source, target: {} } }),
    ]);
    expect(await failure(workspace, outcome)).toEqual(
      failedRun(3, new RegExp(`source: Port ${other.port} is in use`)),
    );
    await expectAlive(other);
  });

  test('no server program', async () => {
    await using workspace = await Workspace.open();
    const empty = await mkdtemp(join(workspace.folder, 'path-'));
    const spec = await workspace.write(MINIMAL);
    const outcome = await workspace.command(['verify', spec], { ...process.env, PATH: empty });
    expect(await failure(workspace, outcome)).toEqual(
      failedRun(3, /There is no redis-server or valkey-server/),
    );
    expect(outcome.err).toContain('apt-get install redis-server');
  });

  test('a version nobody has', async () => {
    await using workspace = await Workspace.open();
    const instances = { source: { version: '99' }, target: {} };
    const outcome = await workspace.command(['verify', await workspace.write({ ...MINIMAL, instances })]);
    expect(await failure(workspace, outcome)).toEqual(
      failedRun(3, /source: The spec wants version 99, found redis 7/),
    );
  });

  test('a directive the server does not know', async () => {
    await using workspace = await Workspace.open();
    const instances = { source: { config: { maxmemry: '1mb' } }, target: {} };
    const outcome = await workspace.command(['verify', await workspace.write({ ...MINIMAL, instances })]);
    expect(await failure(workspace, outcome)).toEqual(failedRun(3, /maxmemry/));
  });
});

describe('existing servers that refuse: 3, and nothing is written to the target', () => {
  test('the source does not allow PSYNC', async () => {
    await using source = await startServer();
    await using target = await startServer();
    await using workspace = await Workspace.open();
    await ask(source.endpoint, 'ACL', 'SETUSER', 'default', '-psync');
    const outcome = await workspace.command(['run', await workspace.write(between(source, target))]);
    expect(said(outcome)).toEqual(
      refusal(3, /error: source .*priv\.replication.*psync(.*\n)+ *hint: .*\+psync/i),
    );
    await expectUntouched(target);
  });

  test('the source does not allow PSYNC, in a rehearsal', async () => {
    await using source = await startServer();
    await using workspace = await Workspace.open();
    await ask(source.endpoint, 'ACL', 'SETUSER', 'default', '-psync');
    const spec = { ...MINIMAL, instances: { source: disposable(source), target: {} }, data: [] };
    const outcome = await workspace.command(['verify', await workspace.write(spec)]);
    expect(await failure(workspace, outcome)).toEqual(failedRun(3, /priv\.replication.*psync/i));
  });

  test('a wrong password', async () => {
    await using source = await startServer({ requirepass: 'right' });
    await using target = await startServer();
    await using workspace = await Workspace.open();
    const spec = between(source, target, { username: 'default', password: '${E2E_WRONG}' });
    const outcome = await workspace.command(['run', await workspace.write(spec)], {
      ...process.env,
      E2E_WRONG: 'not-the-secret',
    });
    const message = new RegExp(`error: source \\(127\\.0\\.0\\.1:${source.port}\\): .*WRONGPASS`);
    expect(said(outcome)).toEqual(refusal(3, message));
    expect(outcome.err).not.toContain('not-the-secret');
    await expectUntouched(target);
  });

  test('a password that is not there at all', async () => {
    await using source = await startServer({ requirepass: 'right' });
    await using target = await startServer();
    await using workspace = await Workspace.open();
    const outcome = await workspace.command(['run', await workspace.write(between(source, target))]);
    expect(said(outcome)).toEqual(refusal(3, /error: source .*\n(.*\n)* *hint: .*passwordFile/));
  });

  test.each(['run', 'compare', 'verify'])('an unreachable url: %s', async (command) => {
    await using target = await startServer();
    await using workspace = await Workspace.open();
    const port = await freePort();
    const gone = { url: `redis://127.0.0.1:${port}`, disposable: true };
    const instances = { source: gone, target: disposable(target) };
    const outcome = await workspace.command([
      command,
      await workspace.write({ ...MINIMAL, instances, data: [] }),
    ]);
    expect(outcome.exitCode).toBe(3);
    expect(outcome.err.match(/error:/g)).toHaveLength(1);
    expect(outcome.err).toMatch(new RegExp(`error: source \\(127\\.0\\.0\\.1:${port}\\)`));
    await expectUntouched(target);
  });

  test('the target is a replica', async () => {
    await using source = await startServer();
    await using primary = await startServer();
    await using target = await startServer({ replicaof: `127.0.0.1 ${primary.port}` });
    await using workspace = await Workspace.open();
    const outcome = await workspace.command(['run', await workspace.write(between(source, target))]);
    const where = `127\\.0\\.0\\.1:${primary.port}`;
    const message = new RegExp(`error: target .*role\\.destination.*\\n *hint: .*its primary, ${where}`);
    expect(said(outcome)).toEqual(refusal(3, message));
  });

  test('the target is not empty', async () => {
    await using source = await startServer();
    await using target = await startServer();
    await using workspace = await Workspace.open();
    await ask(target.endpoint, 'SET', 'precious', '1');
    const outcome = await workspace.command(['run', await workspace.write(between(source, target))]);
    expect(said(outcome)).toEqual(
      refusal(3, /error: target .*destination\.empty.*"precious".*\n *hint: .*empty the target/),
    );
    expect(await ask(target.endpoint, 'DBSIZE')).toBe(1);
  });
});

describe('commands given wrong: 2', () => {
  test('run of a spec without urls', async () => {
    await using workspace = await Workspace.open();
    const outcome = await workspace.command(['run', await workspace.write(MINIMAL)]);
    expect(said(outcome)).toEqual(refusal(2, /source and target have no url(.*\n)+ *hint: .*verify/));
  });

  test('verify of a server that is not disposable', async () => {
    await using target = await startServer();
    await using workspace = await Workspace.open();
    const instances = { source: {}, target: { url: urlOf(target) } };
    const outcome = await workspace.command(['verify', await workspace.write({ ...MINIMAL, instances })]);
    expect(said(outcome)).toEqual(
      refusal(2, /"target" is an existing endpoint(.*\n)+ *hint: .*disposable: true/),
    );
    await expectUntouched(target);
  });

  test('a folder for runs that cannot be made', async () => {
    await using workspace = await Workspace.open();
    await writeFile(workspace.out, 'a file is in the way');
    const outcome = await workspace.command(['verify', await workspace.write(MINIMAL)]);
    expect(said(outcome)).toEqual(refusal(2, /The run folder cannot be created.*\n *hint: .*--out/));
  });
});

test('under --json a refusal is one document too', async () => {
  await using workspace = await Workspace.open();
  const spec = await workspace.write(MINIMAL);
  const { exitCode, out } = await workspace.command(['run', spec, '--json']);
  expect(JSON.parse(out)).toMatchObject({ error: { code: 'USAGE' }, exitCode });
});

/** What a command said that was refused before there was a run; there is nothing else. */
function said({ exitCode, out, err }: Outcome): object {
  return { exitCode, out, err, messages: err.match(/\berror:/g)?.length ?? 1 };
}

function refusal(exitCode: number, message: RegExp): object {
  return { exitCode, out: '', err: expect.stringMatching(message), messages: 1 };
}

/** What a rehearsal said that ended early: on stderr, and in its results. */
async function failure(workspace: Workspace, { exitCode, out, err }: Outcome): Promise<object> {
  const { error, verdict, comparison, ...results } = await workspace.results();
  return {
    exitCode,
    err,
    messages: err.match(/\berror:/g)?.length,
    saysPass: out.includes('PASS '),
    results: {
      exitCode: results.exitCode,
      verdict,
      comparison,
      error: `error: ${error?.where}: ${error?.message}`,
    },
  };
}

function failedRun(exitCode: number, message: RegExp): object {
  return {
    exitCode,
    err: expect.stringMatching(message),
    messages: 1,
    saysPass: false,
    results: { exitCode, verdict: 'unknown', comparison: null, error: expect.stringMatching(message) },
  };
}

function yaml(spec: Record<string, unknown>): string {
  const lines = Object.entries(spec).filter(([, value]) => value !== undefined);
  return lines.map(([name, value]) => `${name}: ${JSON.stringify(value)}\n`).join('');
}

function between(source: TestServer, target: TestServer, login: object = {}): Record<string, unknown> {
  return {
    name: 'refused',
    instances: { source: { url: urlOf(source), ...login }, target: { url: urlOf(target) } },
    topology: { kind: 'one-way', source: 'source', target: 'target' },
  };
}

function disposable(server: TestServer): object {
  return { url: urlOf(server), disposable: true };
}

async function expectAlive(server: TestServer): Promise<void> {
  expect(await ask(server.endpoint, 'PING')).toBe('PONG');
}

async function expectUntouched(server: TestServer): Promise<void> {
  expect(await ask(server.endpoint, 'DBSIZE')).toBe(0);
}
