/** A run is judged from its folder as it was judged when it ended, and one that was cut off is not a pass. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Judgement } from '../../../scenarios/checks/judge.ts';
import { Workspace } from './workspace.ts';

const SPEC = {
  name: 'judged',
  instances: { source: {}, target: {} },
  topology: { kind: 'one-way', source: 'source', target: 'target' },
  data: [{ keys: 50 }],
  workload: [],
};

/** Plants a key on the target after everything has arrived. */
const PLANTED = {
  ...SPEC,
  timeline: [
    {
      id: 'plant',
      fault: 'script',
      when: { phase: 'settle' },
      where: 'target',
      with: { commands: ['SET planted 1'] },
    },
  ],
};

async function judged(workspace: Workspace): Promise<{ exitCode: number; judgement: Judgement }> {
  const { exitCode, out } = await workspace.command(['judge', '--json']);
  return { exitCode, judgement: JSON.parse(out) };
}

test('a good and a bad run are judged again as they were', async () => {
  await using workspace = await Workspace.open();
  for (const [spec, verdict] of [
    [SPEC, 'pass'],
    [PLANTED, 'fail'],
  ] as const) {
    const { results } = await workspace.verify(spec);
    const { exitCode, judgement } = await judged(workspace);
    expect(judgement).toEqual({
      verdict,
      summary: results.summary,
      exitCode: results.exitCode,
      checks: results.checks,
    });
    expect(exitCode).toBe(results.exitCode);
  }
});

test('a run that was cut off, wherever, can be judged and is never a pass', async () => {
  await using workspace = await Workspace.open();
  await workspace.verify(SPEC);
  const file = join(workspace.latest, 'events.ndjson');
  const whole = await readFile(file, 'utf8');
  const outcome = whole.indexOf('"about":"outcome"');
  expect(outcome).toBeGreaterThan(0);
  for (const share of [0, 0.1, 0.5, 0.9, 1]) {
    await writeFile(file, whole.slice(0, Math.floor(outcome * share)));
    const { exitCode, judgement } = await judged(workspace);
    expect(judgement.checks[0]).toMatchObject({ check: 'run-completed', verdict: 'unknown' });
    expect([judgement.verdict, exitCode]).toEqual(['unknown', 4]);
  }
});

test('a folder that is no run is refused', async () => {
  await using workspace = await Workspace.open();
  const { exitCode, err } = await workspace.command(['judge', 'nothing']);
  expect(exitCode).toBe(2);
  expect(err).toContain('there is no run "nothing"');
});
