/** Both directions of a pair share the ways to either side: a fault on a way of the reverse link meets what goes there. */
import { expect, test } from 'vitest';
import { Workspace } from './workspace.ts';

const step = (side: string): object => ({
  id: side,
  fault: 'latency',
  when: 'incremental',
  delay: '500ms',
  for: '500ms',
  where: `link:reverse.${side}`,
  with: { latency: '20ms' },
});

test('a step that aims at a way of the reverse link bites', async () => {
  await using workspace = await Workspace.open();
  const { exitCode, results } = await workspace.verify({
    name: 'pair',
    instances: { home: {}, office: {} },
    topology: { kind: 'two-way', source: 'home', target: 'office' },
    data: [{ keys: 50 }],
    workload: [{ name: 'both', into: ['home', 'office'], rate: '200/s', mix: { set: 1 } }],
    incremental: '1s',
    timeline: [step('source'), step('target')],
  });
  expect(results.faults).toMatchObject([
    { step: 'source', outcome: 'effective' },
    { step: 'target', outcome: 'effective' },
  ]);
  expect(exitCode).toBe(0);
});
