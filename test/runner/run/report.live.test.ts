/** `report`: the reports of a finished run again, from what it left. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Workspace, type Verified } from './workspace.ts';

let workspace: Workspace;
let failed: Verified;
let passed: Verified;

beforeAll(async () => {
  workspace = await Workspace.open();
  failed = await workspace.verify(spec(['SET k other']));
  passed = await workspace.verify(spec(['GET k']));
});
afterAll(() => workspace[Symbol.asyncDispose]());

test('of the latest run: the same text, the same exit code', async () => {
  const { exitCode, out } = await workspace.command(['report']);
  expect(exitCode).toBe(0);
  expect(out).toBe(passed.out);
});

test('by id: of an earlier one', async () => {
  const { exitCode, out } = await workspace.command(['report', failed.results.run.id]);
  expect(exitCode).toBe(1);
  expect(out).toBe(failed.out);
});

test('by folder, with --json: the results document', async () => {
  const folder = join(workspace.out, 'runs', failed.results.run.id);
  const { exitCode, out } = await workspace.command(['report', folder, '--json']);
  expect(exitCode).toBe(1);
  expect(JSON.parse(out)).toEqual(failed.results);
});

test('writes the files anew', async () => {
  const file = join(workspace.latest, 'report.md');
  const before = await readFile(file, 'utf8');
  await rm(file);
  await workspace.command(['report', 'latest']);
  expect(await readFile(file, 'utf8')).toBe(before);
});

test('--format writes others, and they are listed from then on', async () => {
  const folder = join(workspace.out, 'runs', failed.results.run.id);
  await workspace.command(['report', basename(folder), '--format', 'html', 'junit']);
  const { out } = await workspace.command(['report', basename(folder)]);
  expect(await readFile(join(folder, 'report.html'), 'utf8')).toContain('VALUE_MISMATCH');
  expect(await readFile(join(folder, 'junit.xml'), 'utf8')).toContain('<failure');
  expect(out).toContain('report.html');
});

test.each([
  ['a run that never was', ['report', 'nothing-like-it'], /there is no finished run "nothing-like-it"/],
  ['an unknown format', ['report', '--format', 'pdf'], /there is no report format "pdf"/],
])('%s: 2', async (_name, argv, message) => {
  const { exitCode, out, err } = await workspace.command(argv);
  expect(exitCode).toBe(2);
  expect(err).toMatch(message);
  expect(out).toBe('');
});

test.each([
  ['cut short', (text: string) => text.slice(0, 500)],
  ['of another version', (text: string) => text.replace('"schemaVersion": 1', '"schemaVersion": 999')],
  ['with something missing', (text: string) => text.replace('"verdict"', '"verdikt"')],
])('results %s: 2, with a message', async (_name, spoil) => {
  await using other = await Workspace.open();
  const { results } = await other.verify(spec(['GET k']));
  const file = join(other.latest, 'results.json');
  await writeFile(file, spoil(await readFile(file, 'utf8')));
  const { exitCode, err } = await other.command(['report', results.run.id]);
  expect(exitCode).toBe(2);
  expect(err.match(/error:/g)).toHaveLength(1);
  expect(err).toContain('results.json');
});

function spec(planted: string[]): Record<string, unknown> {
  return {
    name: 'reported',
    seed: 9,
    instances: { source: {}, target: {} },
    topology: { kind: 'one-way', source: 'source', target: 'target' },
    data: [{ keys: 20 }],
    workload: [],
    engine: { heartbeat: 'off' },
    compare: { rounds: 1 },
    timeline: [
      { id: 'write', fault: 'script', when: 'incremental', where: 'source', with: { commands: ['SET k v'] } },
      {
        id: 'plant',
        fault: 'script',
        when: { phase: 'settle' },
        where: 'target',
        with: { commands: planted },
      },
    ],
  };
}
