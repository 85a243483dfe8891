/** Steps that fire, fail or never come, and expectations: what each does to the verdict. */
import { describe, expect, test } from 'vitest';
import { Workspace, type Verified } from './workspace.ts';

const NEVER = {
  id: 'never',
  fault: 'script',
  when: { phase: 'full-sync', progress: '> 100%' },
  where: 'target',
  with: { commands: ['PING'] },
};

describe('a step that never fires', () => {
  test('makes the verdict unknown: 4', async () => {
    const { exitCode, results, out, events } = await rehearse({ timeline: [NEVER] });
    expect(exitCode).toBe(4);
    expect(results).toMatchObject({ verdict: 'unknown', exitCode: 4, error: null });
    expect(results.checks).toContainEqual(
      expect.objectContaining({ check: 'timeline-vacuity', verdict: 'unknown' }),
    );
    expect(results.faults).toEqual([
      expect.objectContaining({ step: 'never', outcome: 'never-fired', reason: expect.any(String) }),
    ]);
    expect(events).toContainEqual(
      expect.objectContaining({ kind: 'fault', step: 'never', stage: 'never-fired' }),
    );
    expect(out).toMatch(/UNKNOWN .*never fired/);
  });

  test('and is optional: pass', async () => {
    const { exitCode, results } = await rehearse({ timeline: [{ ...NEVER, optional: true }] });
    expect(results.verdict).toBe('pass');
    expect(exitCode).toBe(0);
  });

  test('because the one it follows failed: both are told', async () => {
    const failing = script('first', ['LPUSH a-string 1'], { after: 'base' });
    const follower = script('second', ['PING'], { after: 'first' });
    const { exitCode, results } = await rehearse({ timeline: [failing, follower] });
    expect(exitCode).toBe(4);
    expect(results.faults).toMatchObject([
      { step: 'first', outcome: 'failed', reason: expect.stringContaining('WRONGTYPE') },
      { step: 'second', outcome: 'never-fired', reason: 'step first failed' },
    ]);
  });
});

describe('a step that fails', () => {
  test('commands the server refuses: unknown, with the reply', async () => {
    const step = script('refused', ['LPUSH a-string 1'], { when: { phase: 'settle' } });
    const { exitCode, results, out } = await rehearse({ timeline: [step] });
    expect(exitCode).toBe(4);
    expect(results.verdict).toBe('unknown');
    expect(out).toMatch(/refused.*had no effect: source answered WRONGTYPE/s);
  });

  test('a shell command that exits with 1: unknown', async () => {
    const step = { id: 'shell', fault: 'script', when: 'incremental', with: { run: 'echo why >&2; exit 1' } };
    const { exitCode, results } = await rehearse({ timeline: [step] });
    expect(exitCode).toBe(4);
    expect(results.faults).toMatchObject([
      {
        step: 'shell',
        outcome: 'failed',
        reason: 'the command exited with 1',
        evidence: { exitCode: 1, stderr: 'why\n' },
      },
    ]);
  });

  test('a shell command that takes too long: ended, and unknown', async () => {
    const step = {
      id: 'slow',
      fault: 'script',
      when: 'incremental',
      with: { run: 'sleep 600', timeout: '200ms' },
    };
    const { exitCode, results } = await rehearse({ timeline: [step] });
    expect(exitCode).toBe(4);
    expect(results.faults?.[0]?.reason).toMatch(/did not end within 200 ms/);
  });
});

test('a shell command is told where the servers are', async () => {
  const run = 'redis-cli -u "$REDIS_SYNC_SOURCE_URL" SET from-the-shell 1';
  const step = { id: 'shell', fault: 'script', when: 'incremental', with: { run } };
  const { exitCode, results } = await rehearse({ timeline: [step] });
  expect(exitCode).toBe(0);
  expect(results.comparison?.keysCompared).toBe(22);
});

test('a broken difference outweighs what could not be told: 1', async () => {
  const plant = {
    ...NEVER,
    id: 'plant',
    when: { phase: 'settle' },
    where: 'target',
    with: { commands: ['SET extra 1'] },
  };
  const { exitCode, results } = await rehearse({ timeline: [NEVER, plant] });
  expect(results.verdict).toBe('fail');
  expect(exitCode).toBe(1);
});

describe('expectations', () => {
  const again = {
    id: 'again',
    fault: 'script',
    when: 'incremental',
    // One full resync for certain: the connection is closed and the history changed before it can come back.
    where: 'source',
    with: { commands: ['DEBUG CHANGE-REPL-ID', 'CLIENT KILL TYPE replica'] },
  };
  const writers = { workload: [{ rate: '200/s', mix: { string: 1 } }], incremental: '2500ms' };

  test.each<[string, object[], number]>([
    ['as many findings as allowed', [{ finding: 'FULL_RESYNC', count: '<= 1' }], 0],
    ['as many as demanded', [{ finding: 'FULL_RESYNC', count: 1 }], 0],
    ['more than allowed', [{ finding: 'FULL_RESYNC', count: 0 }], 1],
    ['fewer than demanded', [{ finding: 'FULL_RESYNC', count: '>= 2' }], 1],
  ])('%s', async (_name, expectations, wanted) => {
    const { exitCode, results } = await rehearse({ ...writers, timeline: [again], expect: expectations });
    expect(results.checks).toContainEqual(
      expect.objectContaining({
        check: 'finding:FULL_RESYNC',
        verdict: wanted === 0 ? 'pass' : 'fail',
        counts: { count: 1 },
      }),
    );
    expect(exitCode).toBe(wanted);
  });

  test.each([
    ['a limit that is kept', '< 60000', 'pass', 0],
    ['a limit that is not', '< 0', 'fail', 1],
  ])('of lag: %s', async (_name, limit, verdict, wanted) => {
    const metric = { metric: 'lag_ms', p95: limit };
    const { exitCode, results } = await rehearse({
      ...writers,
      engine: { heartbeat: { interval: '100ms' } },
      incremental: '1s',
      expect: [metric],
    });
    expect(results.links[0]?.lagMs?.samples).toBeGreaterThan(2);
    expect(results.checks).toContainEqual(expect.objectContaining({ check: 'metric:lag_ms p95', verdict }));
    expect(exitCode).toBe(wanted);
  });

  test('of something that was not measured: 4', async () => {
    const { exitCode, results } = await rehearse({ expect: [{ metric: 'lag_ms', p95: '< 60000' }] });
    expect(results.checks).toContainEqual(
      expect.objectContaining({ check: 'metric:lag_ms p95', verdict: 'unknown' }),
    );
    expect(exitCode).toBe(4);
  });
});

/** 20 seeded keys and a string; no workload and no heartbeat unless the test wants them. */
async function rehearse(more: Changes): Promise<Verified> {
  await using workspace = await Workspace.open();
  const spec = {
    name: 'timeline',
    seed: 4,
    instances: { source: {}, target: {} },
    topology: { kind: 'one-way', source: 'source', target: 'target' },
    data: [{ keys: 20 }],
    workload: [],
    engine: { heartbeat: 'off' },
    compare: { rounds: 1 },
    report: { formats: ['json'] },
    ...more,
  };
  const base = script('base', ['SET a-string text'], { when: 'incremental' });
  const verified = await workspace.verify({ ...spec, timeline: [base, ...(more.timeline ?? [])] });
  const faults = verified.results.faults?.filter(({ step }) => step !== 'base') ?? [];
  return { ...verified, results: { ...verified.results, faults } };
}

interface Changes extends Record<string, unknown> {
  timeline?: object[];
}

function script(id: string, commands: string[], trigger: object): object {
  return { id, fault: 'script', ...trigger, where: 'source', with: { commands } };
}
