/** The fault proxy in a rehearsal: it stands only where it is wanted, bites, heals, and the data is equal all the same. */
import { describe, expect, test } from 'vitest';
import { Workspace, type Verified } from './workspace.ts';

test('a way that breaks, slices and falls silent, while clients write: all of it is healed, and the data is equal', async () => {
  const { exitCode, results } = await rehearse([
    // In the middle of the snapshot, at exactly that byte.
    network('cut', 'limit-data', 'source', {
      when: { proxy: 'link:source-to-target.source', bytes: '50kb' },
      with: { bytes: '10kb' },
      for: '300ms',
    }),
    network('slices', 'slicer', 'target', { when: 'incremental', with: { size: 7 }, for: '500ms' }),
    network('late', 'latency', 'source', { after: 'slices', with: { latency: '20ms', jitter: '10ms' } }),
    network('silent', 'half-open', 'source', { after: 'slices', delay: '200ms', for: '1500ms' }),
    network('partition', 'blackhole', 'target', { after: 'slices', delay: '300ms', for: '1500ms' }),
  ]);
  expect(results.faults?.map(({ step, outcome, healedMs }) => [step, outcome, healedMs !== null])).toEqual(
    ['cut', 'slices', 'late', 'silent', 'partition'].map((step) => [step, 'effective', true]),
  );
  expect(results).toMatchObject({ verdict: 'pass' });
  expect(results.links[0]?.retries).toBeGreaterThan(1);
  expect(exitCode).toBe(0);
});

test('bytes that vanish from a connection that goes on: the data differs, and the verdict says so', async () => {
  const { exitCode, results } = await rehearse(
    [
      // Of the stream: what a target is sent with a hole in it, it refuses, and is sent again.
      network('hole', 'silent-drop', 'source', { when: 'incremental', with: { at: '2kb', bytes: '20b' } }),
    ],
    { engine: { retry: '2s', idleTimeout: '1s' } },
  );
  expect(results.faults).toMatchObject([{ step: 'hole', outcome: 'effective' }]);
  expect(results.verdict).not.toBe('pass');
  expect(exitCode).not.toBe(0);
});

describe('the proxy', () => {
  test('is not there for a timeline without need of it', async () => {
    await using workspace = await Workspace.open();
    await workspace.verify(spec([{ fault: 'script', when: 'incremental', with: { run: 'true' } }]));
    expect(workspace.processes().map(({ what }) => what)).not.toContain('fault proxy');
  });

  test('is recorded and ended like everything else', async () => {
    await using workspace = await Workspace.open();
    const { exitCode } = await workspace.verify(
      spec([network('late', 'latency', undefined, { when: 'incremental', with: { latency: '1ms' } })]),
    );
    expect(exitCode).toBe(0);
    expect(workspace.processes().filter(({ what }) => what === 'fault proxy')).toHaveLength(1);
    expect(workspace.strays()).toEqual([]);
  });
});

function network(id: string, fault: string, side: 'source' | 'target' | undefined, more: object): object {
  return { id, fault, where: `link:source-to-target${side === undefined ? '' : `.${side}`}`, ...more };
}

async function rehearse(timeline: object[], more: object = {}): Promise<Verified> {
  await using workspace = await Workspace.open();
  return await workspace.verify({ ...spec(timeline), ...more });
}

/** A workload of everything that can be counted twice, and a link that notices silence within a second. */
function spec(timeline: object[]): Record<string, unknown> {
  return {
    name: 'network',
    seed: 3,
    instances: { source: {}, target: {} },
    topology: { kind: 'one-way', source: 'source', target: 'target' },
    data: [{ keys: 1000 }],
    workload: [{ rate: '400/s', mix: { incr: 1, rpush: 1, append: 1, set: 1 } }],
    incremental: '500ms',
    engine: { idleTimeout: '1s' },
    compare: { rounds: 1 },
    report: { formats: ['json'] },
    timeline,
  };
}
