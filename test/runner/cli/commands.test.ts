/** The commands from the outside: exit code, what is on stdout, what is on stderr. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HEAD } from '../spec/problems.ts';
import { redisSync } from './capture.ts';

let folder = '';
const file = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'redis-sync-cli-'));
  await writeFile(file('good.yaml'), HEAD);
  await writeFile(file('bad.yaml'), `${HEAD}sed: 1\n`);
  await writeFile(file('worse.yaml'), `${HEAD}seed: x\nincremental: 5\n`);
  await writeFile(
    file('existing.yaml'),
    HEAD.replace('target: {}', 'target: { url: "redis://127.0.0.1:1" }'),
  );
  await writeFile(
    file('secret.yaml'),
    HEAD.replace('source: {}', 'source: { url: "redis://h", password: "${PW}" }'),
  );
});
afterAll(() => rm(folder, { recursive: true }));

describe('help and usage', () => {
  test('--help: every command, on stdout', async () => {
    const { exitCode, out, err } = await redisSync(['--help']);
    expect([exitCode, err]).toEqual([0, '']);
    for (const name of ['verify', 'run', 'compare', 'validate', 'plan', 'report', 'schema']) {
      expect(out).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
    }
    expect(out.indexOf('Used by redis-sync itself:')).toBeGreaterThan(out.indexOf('Commands:'));
    expect(out).toContain('Exit codes:');
  });

  test('help of a command shows its own and the common options', async () => {
    const { exitCode, out } = await redisSync(['run', '--help']);
    expect(exitCode).toBe(0);
    expect(out).toContain('--until <when>');
    expect(out).toContain('Global Options:');
  });

  test('--version', async () => expect((await redisSync(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/));

  test('nothing at all: help on stderr, exit 2', async () => {
    const { exitCode, out, err } = await redisSync([]);
    expect([exitCode, out]).toEqual([2, '']);
    expect(err).toContain('Usage: redis-sync');
  });

  test.each([
    [
      ['verfy', 'x.yaml'],
      "error: unknown command 'verfy'\n(Did you mean verify?)\nhint: redis-sync --help\n",
    ],
    [['plan', 'x.yaml', '--foo'], "error: unknown option '--foo'\nhint: redis-sync plan --help\n"],
    [['plan'], "error: missing required argument 'spec'\nhint: redis-sync plan --help\n"],
    [
      ['plan', 'a', 'b'],
      "error: too many arguments for 'plan'. Expected 1 argument but got 2.\nhint: redis-sync plan --help\n",
    ],
    [
      ['run', 'x.yaml', '--until', 'later'],
      "error: option '--until <when>' argument 'later' is invalid. Allowed choices are synced, SIGINT.\nhint: redis-sync run --help\n",
    ],
    [
      ['plan', 'x.yaml', '--seed', '1.5'],
      "error: option '--seed <number>' argument '1.5' is invalid. A seed is a whole number from 0.\nhint: redis-sync --help\n",
    ],
  ])('%j', async (argv, expected) =>
    expect(await redisSync(argv)).toEqual({ exitCode: 2, out: '', err: expected }),
  );

  test('a spec without a command', async () => {
    const { exitCode, err } = await redisSync(['specs/one-way.yaml']);
    expect(exitCode).toBe(2);
    expect(err).toContain('hint: redis-sync verify specs/one-way.yaml\n');
  });

  test('under --json a usage error is a document too', async () => {
    const { exitCode, out } = await redisSync(['plan', '--json', '--foo', 'x.yaml']);
    expect(exitCode).toBe(2);
    expect(JSON.parse(out)).toEqual({
      error: { code: 'USAGE', message: "unknown option '--foo'" },
      exitCode: 2,
    });
  });
});

describe('validate', () => {
  test('right', async () =>
    expect(await redisSync(['validate', file('good.yaml')])).toEqual({
      exitCode: 0,
      out: `${file('good.yaml')}: ok\n`,
      err: '',
    }));

  test('--quiet says nothing about what is right', async () =>
    expect(await redisSync(['validate', '-q', file('good.yaml')])).toEqual({
      exitCode: 0,
      out: '',
      err: '',
    }));

  test('wrong: the problems of all specs are the result', async () => {
    const paths = [file('bad.yaml'), file('good.yaml'), file('worse.yaml'), file('nowhere-near.yaml')];
    const { exitCode, out, err } = await redisSync(['validate', ...paths]);
    expect([exitCode, err]).toEqual([2, '']);
    const positions = out.split('\n').filter((line) => line.startsWith(folder));
    expect(positions.map((line) => line.slice(folder.length + 1))).toEqual([
      'bad.yaml:6:1: unknown key "sed"; did you mean "seed"?',
      'worse.yaml:6:7: seed cannot be "x"',
      'worse.yaml:7:14: incremental: "5" has no unit',
      'nowhere-near.yaml: there is no such file',
    ]);
    expect(out).toContain('\n4 problems\n');
  });

  test('--json', async () => {
    const { exitCode, out } = await redisSync(['--json', 'validate', file('bad.yaml')]);
    expect(exitCode).toBe(2);
    expect(JSON.parse(out)).toEqual({
      valid: false,
      specs: [file('bad.yaml')],
      problems: [expect.objectContaining({ file: file('bad.yaml'), line: 6, column: 1 })],
    });
  });

  test('variables come from the environment', async () => {
    expect((await redisSync(['validate', file('secret.yaml')])).exitCode).toBe(2);
    expect((await redisSync(['validate', file('secret.yaml')], { PW: 'x' })).exitCode).toBe(0);
  });
});

describe('plan', () => {
  test('as YAML', async () => {
    const { exitCode, out, err } = await redisSync(['plan', file('good.yaml'), '--seed', '9']);
    expect([exitCode, err]).toEqual([0, '']);
    expect(out).toContain(`# The plan of ${file('good.yaml')}`);
    expect(out).toContain('\nseed: 9\n');
  });

  test('as JSON, with options before or after the command', async () => {
    const after = await redisSync(['plan', file('good.yaml'), '--json', '--seed', '9']);
    const before = await redisSync(['--seed', '9', '--json', 'plan', file('good.yaml')]);
    expect(JSON.parse(after.out)).toMatchObject({ name: 'x', seed: 9 });
    expect(before).toEqual(after);
  });

  test('never shows a password', async () => {
    const shown = await redisSync(['plan', file('secret.yaml')], { PW: 'hunter2' });
    const json = await redisSync(['plan', '--json', file('secret.yaml')], { PW: 'hunter2' });
    expect([shown.exitCode, json.exitCode]).toEqual([0, 0]);
    expect(shown.out + json.out).not.toContain('hunter2');
  });

  test('of a wrong spec: problems on stderr, nothing on stdout', async () => {
    const { exitCode, out, err } = await redisSync(['plan', file('bad.yaml')]);
    expect([exitCode, out]).toEqual([2, '']);
    expect(err).toContain('bad.yaml:6:1: unknown key "sed"');
  });
});

test('schema prints the shipped schema', async () => {
  const { exitCode, out } = await redisSync(['schema']);
  expect(exitCode).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Spec',
  });
});

describe('commands that run something refuse before they do', () => {
  test.each(['verify', 'run', 'compare'])('%s of a wrong spec', async (command) => {
    const { exitCode, out, err } = await redisSync([command, file('worse.yaml')]);
    expect([exitCode, out]).toEqual([2, '']);
    expect(err).toContain('2 problems');
    const json = await redisSync([command, '--json', file('worse.yaml')]);
    expect(JSON.parse(json.out)).toMatchObject({ error: { code: 'SPEC_INVALID' }, exitCode: 2 });
  });

  test('verify never overwrites an existing endpoint that did not agree', async () =>
    expect(await redisSync(['verify', file('existing.yaml')])).toEqual({
      exitCode: 2,
      out: '',
      err: `error: ${file('existing.yaml')}: "target" is an existing endpoint and verify would overwrite it
  hint: In the spec, set disposable: true if everything in it may be lost. To replicate or compare existing endpoints: redis-sync run, redis-sync compare.
`,
    }));

  test('verify writes no heartbeat to an existing source that did not agree', async () => {
    const { exitCode, err } = await redisSync(['verify', file('secret.yaml')], { PW: 'x' });
    expect(exitCode).toBe(2);
    expect(err).toContain('"source" is an existing endpoint and verify would write a heartbeat to it');
  });

  test.each(['run', 'compare'])('%s needs urls', async (command) => {
    const { exitCode, err } = await redisSync([command, file('existing.yaml')]);
    expect(exitCode).toBe(2);
    expect(err).toContain(`source has no url, and ${command} provisions nothing`);
  });

  test.each([
    [[], 'compare needs a spec, or both --source and --target'],
    [['--source', 'redis://h'], 'compare needs a spec, or both --source and --target'],
    [['good.yaml', '--source', 'redis://h'], 'compare takes a spec or two urls, not both'],
    [['--source', 'redis://u:hunter2@h', '--target', 'redis://h'], '--source: there is a password in it'],
    [['--source', 'redis://h', '--target', 'h:1'], '--target: it does not begin with redis:// or rediss://'],
    [
      ['--source', 'redis://h', '--target', 'redis://i', '--target-password-env', 'NOPE'],
      '--target-password-env: the environment variable NOPE is not set',
    ],
  ])('compare %j', async (argv, message) => {
    const { exitCode, out, err } = await redisSync(['compare', ...argv]);
    expect([exitCode, out]).toEqual([2, '']);
    expect(err).toContain(`error: ${message}\n`);
    expect(err).not.toContain('hunter2');
  });
});

describe('report', () => {
  test('without any run', async () => {
    const { exitCode, err } = await redisSync(['report', '--out', file('nowhere')]);
    expect(exitCode).toBe(2);
    expect(err).toBe(
      `error: ${file('nowhere/runs')}: there is no finished run "latest"\n  hint: Runs are made by redis-sync verify; --out says where they are.\n`,
    );
  });

  test('an unknown run', async () => {
    await mkdir(file('runs/20240611-1-one-way-aaaa'), { recursive: true });
    const { exitCode, err } = await redisSync(['report', '20240611-1-one-way-aaab', '--out', folder]);
    expect(exitCode).toBe(2);
    expect(err).toContain('did you mean "20240611-1-one-way-aaaa"?');
  });

  test('an unknown format', async () => {
    const { exitCode, err } = await redisSync(['report', '--format', 'markdwn']);
    expect(exitCode).toBe(2);
    expect(err).toContain('error: --format: there is no report format "markdwn"; did you mean "markdown"?');
  });
});
