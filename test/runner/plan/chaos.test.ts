/** What chaos makes of a plan: aims that its instances and its engine have, and expectations that still mean something. */
import { expect, test } from 'vitest';
import { disturbPlan } from '../../../runner/plan/chaos.ts';
import type { Plan } from '../../../runner/plan/plan.ts';
import { HEAD, planOf, withSource } from '../spec/problems.ts';

const SEEDS = Array.from({ length: 60 }, (_, seed) => seed);

function drawn(plan: Plan): { fault: string; where: string }[] {
  return SEEDS.flatMap((seed) => disturbPlan({ ...plan, seed }, 'brutal').plan.timeline).map(
    ({ fault, where = '' }) => ({ fault, where }),
  );
}

const faultsOf = (plan: Plan): string[] => drawn(plan).map(({ fault }) => fault);

test('a failover needs a replica', () => {
  expect(drawn(planOf(HEAD)).map(({ fault }) => fault)).not.toContain('failover');
  expect(drawn(planOf(withSource('{ replicas: 1 }'))).map(({ fault }) => fault)).toContain('failover');
});

test('what a cluster does not allow is not drawn for one', () => {
  const cluster = HEAD.replace('target: {}', 'target: { kind: cluster, shards: 3 }');
  expect(faultsOf(planOf(HEAD))).toContain('read-only');
  expect(faultsOf(planOf(cluster))).not.toContain('read-only');
});

test('nothing is done to an existing server that is not disposable but on the way to it', () => {
  const steps = drawn(planOf(withSource('{ url: "redis://10.0.0.1:6379" }')));
  expect(steps.filter(({ where }) => where === 'source')).toEqual([]);
  expect(steps.filter(({ where }) => where === 'link:source-to-target.source')).not.toEqual([]);
});

test('with another engine nothing is done to the engine, nor where no proxy can stand', () => {
  const steps = drawn(planOf(`${HEAD}engine: { driver: replica }\n`));
  expect(steps.filter(({ where }) => where === 'link:source-to-target')).toEqual([]);
  expect(steps.filter(({ where }) => where === 'link:source-to-target.target')).toEqual([]);
  expect(steps.filter(({ where }) => where === 'link:source-to-target.source')).not.toEqual([]);
});

test('a target that several links fill is not made to be filled again, and its first filling is left in peace', () => {
  const [head = ''] = HEAD.split('instances:');
  const shared = planOf(
    `${head}instances: { a: {}, b: {}, target: {} }\ntopology: { kind: many-to-one, sources: [a, b], target: target }\n`,
  );
  const resyncing = ['replid-change', 'backlog-overflow', 'endpoint-move'];
  expect(faultsOf(planOf(HEAD)).filter((fault) => resyncing.includes(fault))).not.toEqual([]);
  expect(faultsOf(shared).filter((fault) => resyncing.includes(fault))).toEqual([]);
  const { timeline } = disturbPlan(shared, 'rough').plan;
  expect(timeline.every(({ trigger }) => trigger.when?.phase === 'incremental')).toBe(true);
});

test('a plan of which nothing may be disturbed is refused', () => {
  const url = '{ url: "redis://10.0.0.1:6379" }';
  const text = withSource(url).replace('target: {}', `target: ${url}`);
  const plan = planOf(`${text}data: []\nworkload: []\nengine: { driver: external }\n`);
  expect(() => disturbPlan(plan, 'gentle')).toThrow('Nothing of this spec may be disturbed');
});

test('expectations of speed go, errors and checks stay, what the faults bring is allowed', () => {
  const lines = [
    '{ check: counts }',
    '{ finding: FULL_RESYNC, count: 0 }',
    '{ finding: LOOP_ECHO, count: 0 }',
    '{ metric: lag_ms, p99: "< 1" }',
  ];
  const plan = planOf(`${HEAD}expect: [${lines.join(', ')}]\n`);
  const oom = SEEDS.map((seed) => disturbPlan({ ...plan, seed }, 'rough')).find(({ plan: { timeline } }) =>
    timeline.some(({ fault }) => fault === 'target-oom'),
  );
  expect(oom?.plan.expect.map((line) => ('finding' in line ? line.finding : Object.keys(line)[0]))).toEqual([
    'check',
    'check',
    'LOOP_ECHO',
    'OOM',
  ]);
});
