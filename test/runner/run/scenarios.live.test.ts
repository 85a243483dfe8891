/** `verify --scenario` from the command line: a row for each variant, with a verdict of its own. */
import { expect, test } from 'vitest';
import { Workspace } from './workspace.ts';

const SPEC = {
  name: 'pair',
  seed: 2,
  instances: { source: {}, target: {} },
  topology: { kind: 'one-way', source: 'source', target: 'target' },
  data: [{ keys: 50 }],
  workload: [{ rate: '100/s', mix: { set: 1 } }],
  report: { formats: [] },
};

test('what had to be seen is a pass, also where the link had to stop; what does not fit says why', async () => {
  await using workspace = await Workspace.open();
  const spec = await workspace.write({ ...SPEC, scenarios: ['flushdb-source', 'crossslot-write'] });
  const { exitCode, out } = await workspace.command(['verify', spec, '--json', '--quiet']);
  const rows: unknown = JSON.parse(out);
  expect(rows).toMatchObject([
    { scenario: 'flushdb-source', variant: 'default', verdict: 'pass', statements: ['S0-10'] },
    { scenario: 'flushdb-source', variant: 'vendor', verdict: 'pass', runVerdict: 'fail' },
    { scenario: 'crossslot-write', verdict: 'unfit', reasons: ['the target is no cluster'] },
    { scenario: 'crossslot-write', verdict: 'unfit' },
  ]);
  expect(exitCode).toBe(0);
});

test('a scenario that nobody knows: 2, with the nearest', async () => {
  await using workspace = await Workspace.open();
  const spec = await workspace.write(SPEC);
  const { exitCode, err } = await workspace.command(['verify', spec, '--scenario', 'flush-sorce']);
  expect(exitCode).toBe(2);
  expect(err).toContain('did you mean "flush-source"?');
});

test('the flag takes the place of the names in the spec, with the link it is to happen to', async () => {
  await using workspace = await Workspace.open();
  const spec = await workspace.write({ ...SPEC, scenarios: ['flush-source'] });
  const { exitCode, out } = await workspace.command([
    'verify',
    spec,
    '--scenario',
    'publish@other',
    '--json',
  ]);
  expect(JSON.parse(out)).toMatchObject([
    { scenario: 'publish', link: 'other', verdict: 'unfit', reasons: ['the spec has no link "other"'] },
  ]);
  expect(exitCode).toBe(4);
});

test('scenarios and chaos exclude each other: 2, whoever asks for the scenarios', async () => {
  await using workspace = await Workspace.open();
  const spec = await workspace.write({ ...SPEC, scenarios: ['flush-source'] });
  const { exitCode, err } = await workspace.command(['verify', spec, '--chaos', 'gentle']);
  expect(exitCode).toBe(2);
  expect(err).toContain('A scenario has its own timeline');
});

test('all of them are listed, the declared ones with their reason', async () => {
  await using workspace = await Workspace.open();
  const { exitCode, out } = await workspace.command(['scenarios']);
  expect(exitCode).toBe(0);
  expect(out).toMatch(/flush-source\s+FLUSHALL is run on the source\. S0-10/);
  expect(out).toMatch(/Not rehearsed here:[^]*gdc-sibling-write/);
});
