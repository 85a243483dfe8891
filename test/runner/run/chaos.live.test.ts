/** Chaos from the command line: drawn from the seed, healed, converged, and kept as a spec that does the same. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadSpec } from '../../../runner/spec/load.ts';
import { Workspace } from './workspace.ts';

const SPEC = {
  name: 'disturbed',
  instances: { source: {}, target: {} },
  topology: { kind: 'one-way', source: 'source', target: 'target' },
  data: [{ keys: 300 }],
  workload: [{ rate: '300/s', mix: { string: 1 } }],
  incremental: '1s',
  // Written for a quiet run: nothing of it holds under chaos.
  expect: [{ metric: 'lag_ms', max: '< 0' }],
};

test('a gentle run converges, and its timeline is kept as a spec', async () => {
  await using workspace = await Workspace.open();
  const saved = join(workspace.folder, 'saved.yaml');
  const flags = ['--chaos', 'gentle', '--seed', '101', '--save-timeline', saved];
  const { exitCode, results, err } = await workspace.verify(SPEC, ...flags);
  expect(results).toMatchObject({
    verdict: 'pass',
    run: { seed: 101, chaos: 'gentle' },
    summary: expect.any(String),
  });
  expect(exitCode).toBe(0);
  expect(err).toContain('Chaos gentle, seed 101');
  expect(results.faults?.[0]).toMatchObject({ step: 'chaos-1', outcome: 'effective' });
  expect(await readFile(join(workspace.latest, 'chaos.yaml'), 'utf8')).toBe(await readFile(saved, 'utf8'));
  const again = await loadSpec(saved);
  if (again.kind === 'invalid') throw new Error('the saved timeline is no spec');
  expect(again.plan.timeline.map(({ id }) => id)).toEqual(results.faults?.map(({ step }) => step));
});

test.each([
  ['a profile there is not', ['--chaos', 'mild'], /gentle, rough, brutal/],
  ['a timeline to save without one drawn', ['--save-timeline', 'x.yaml'], /there is no --chaos/],
])('%s: 2', async (_name, flags, message) => {
  await using workspace = await Workspace.open();
  const { exitCode, err } = await workspace.command(['verify', await workspace.write(SPEC), ...flags]);
  expect(exitCode).toBe(2);
  expect(err).toMatch(message);
});

test('a file that is there is not written over: 2', async () => {
  await using workspace = await Workspace.open();
  const spec = await workspace.write(SPEC);
  const { exitCode, err } = await workspace.command([
    'verify',
    spec,
    '--chaos',
    'gentle',
    '--save-timeline',
    spec,
  ]);
  expect(exitCode).toBe(2);
  expect(err).toMatch(/cannot be saved.*EEXIST/);
});
