/** The end of a night: what passed, what did not and why, and a last line that a machine reads. */
import { mkdtemp, rm, appendFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ChaosResult } from './chaos-run.ts';
import { addChaosResult, readChaosResults, runKey } from './results-file.ts';
import { formatChaos } from './table.ts';

const RESULT: ChaosResult = {
  spec: 'one-way',
  seed: 1,
  profile: 'rough',
  verdict: 'pass',
  seconds: 20,
  summary: 'All keys are equal.',
  faults: [{ fault: 'pause', where: 'target', outcome: 'effective' }],
};
const BAD: ChaosResult = {
  ...RESULT,
  seed: 2,
  verdict: 'fail',
  summary: 'Keys differ.',
  faults: [...RESULT.faults, { fault: 'latency', where: 'link:a.source', outcome: 'failed' }],
  folder: '/out/one-way-2',
};

test('each spec and fault has its row, each run that did not pass its reason and how to run it again', () => {
  const text = formatChaos(
    [RESULT, BAD, { ...RESULT, seed: 3, verdict: 'unknown' }, { ...RESULT, seed: 4, verdict: 'cut off' }],
    2,
  );
  expect(text).toMatch(/one-way +│ rough +│ 4 +│ 1 +│ 1 +│ 2 +│ 20/);
  expect(text).toMatch(/latency +│ 1 +│ 0 +│ 1 +│ 0/);
  expect(text).toContain('one-way 2 rough: fail (20 s, 1 of 2 faults bit): Keys differ.');
  expect(text).toContain('pause on target, (latency on link:a.source: failed)');
  expect(text).toContain('npm run chaos -- --spec specs/one-way.yaml --seeds 2 --profile rough --retry');
  expect(text).toContain('/out/one-way-2');
  expect(text.trimEnd().split('\n').at(-1)).toBe('1 passed, 2 failed, 3 skipped');
});

test('results are read back, the newest of each run; half a line is none', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'chaos-'));
  const file = join(folder, 'results.ndjson');
  try {
    expect((await readChaosResults(file)).size).toBe(0);
    for (const result of [RESULT, BAD, { ...BAD, verdict: 'pass' as const }])
      await addChaosResult(file, result);
    await appendFile(file, '{"spec":"one-w');
    const results = await readChaosResults(file);
    expect(results.size).toBe(2);
    expect(results.get(runKey(BAD))?.verdict).toBe('pass');
  } finally {
    await rm(folder, { recursive: true });
  }
});
