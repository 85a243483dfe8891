/** Every topology kind expands into the links it stands for, and the printed plan is a spec of the same plan. */
import { describe, expect, test } from 'vitest';
import { describePlan } from '../../../runner/plan/describe.ts';
import { TOPOLOGIES } from '../../../runner/plan/topologies/registry.ts';
import type { Plan } from '../../../runner/plan/plan.ts';
import { planOf } from '../spec/problems.ts';

function specOf(topology: string, rest = ''): string {
  return `name: x\ninstances: { a: {}, b: {}, c: {}, d: {} }\ntopology: ${topology}\n${rest}`;
}

/** `id: source → target`, and what is special about it. */
function linksOf({ links }: Plan): string[] {
  return links.map(({ id, source, target, ...more }) =>
    [`${id}: ${source} → ${target}`, Object.keys(more).length > 0 ? JSON.stringify(more) : '']
      .join(' ')
      .trim(),
  );
}

const EXAMPLES: Record<string, { topology: string; rest?: string; links: string[]; into: string[] }> = {
  'one-way': {
    topology: '{ kind: one-way, source: a, target: b }',
    links: ['a-to-b: a → b'],
    into: ['a'],
  },
  'one-to-many': {
    topology: '{ kind: one-to-many, source: a, targets: [b, c, d] }',
    links: ['a-to-b: a → b', 'a-to-c: a → c', 'a-to-d: a → d'],
    into: ['a'],
  },
  cascade: {
    topology: '{ kind: cascade, chain: [a, b, c] }',
    links: ['a-to-b: a → b', 'b-to-c: b → c {"startsAfter":"a-to-b"}'],
    into: ['a'],
  },
  'many-to-one': {
    topology: '{ kind: many-to-one, sources: [a, b], target: c }',
    links: ['a-to-c: a → c', 'b-to-c: b → c'],
    into: ['a', 'b'],
  },
  'two-way': {
    topology: '{ kind: two-way, source: a, target: b }',
    links: ['forward: a → b', 'reverse: b → a {"incrementalOnly":true,"startsAfter":"forward"}'],
    into: ['a', 'b'],
  },
  ring: {
    topology: '{ kind: ring, members: [a, b, c] }',
    links: [
      'a-to-b: a → b',
      'b-to-c: b → c {"startsAfter":"a-to-b"}',
      'c-to-a: c → a {"incrementalOnly":true,"startsAfter":"b-to-c"}',
    ],
    into: ['a', 'b', 'c'],
  },
  codis: {
    topology: '{ kind: codis, groups: [a, b, c], target: d }',
    links: [
      'a: a → d {"codisSlots":[[0,341]]}',
      'b: b → d {"codisSlots":[[342,682]]}',
      'c: c → d {"codisSlots":[[683,1023]]}',
    ],
    into: ['a', 'b', 'c'],
  },
};

test('there is an example of every kind', () => {
  expect(Object.keys(EXAMPLES)).toEqual(TOPOLOGIES.map(({ kind }) => kind));
});

describe.each(Object.entries(EXAMPLES))('%s', (_, { topology, links, into }) => {
  const plan = planOf(specOf(topology));

  test('its links', () => expect(linksOf(plan)).toEqual(links));

  test('clients write to what is not fed by a link alone', () =>
    expect(plan.workload.map((workload) => workload.into)).toEqual([into]));

  test('its plan is a spec', () => expect(planOf(describePlan(plan)).links).toEqual(plan.links));
});

const intoOf = (topology: string): string[] | undefined => planOf(specOf(topology)).data[0]?.into;

test('data is for the instances that nothing is copied into', () => {
  expect(intoOf('{ kind: two-way, source: a, target: b }')).toEqual(['a']);
  expect(intoOf('{ kind: ring, members: [a, b, c] }')).toEqual(['a']);
  expect(intoOf('{ kind: codis, groups: [a, b], target: c }')).toEqual(['a', 'b']);
});

const startOf = (topology: string): string[] => planOf(specOf(topology)).workload.map(({ start }) => start);

test('clients start with the full sync where nothing is fed, else when all links are in sync', () => {
  expect(startOf('{ kind: cascade, chain: [a, b, c] }')).toEqual(['full-sync']);
  expect(startOf('{ kind: two-way, source: a, target: b }')).toEqual(['incremental']);
});

test('groups of a Codis cluster with slots of their own, in turn, checked literally', () => {
  const topology =
    '{ kind: codis, groups: [a, b], target: c, slots: { a: [0-99, 512], b: [100-511, 513-1023] }, databases: [0, 1], start: in-turn, emptyCheck: literal }';
  const plan = planOf(specOf(topology));
  expect(linksOf(plan)).toEqual([
    'a: a → c {"codisSlots":[[0,99],[512,512]],"emptyCheck":"literal"}',
    'b: b → c {"startsAfter":"a","codisSlots":[[100,511],[513,1023]],"emptyCheck":"literal"}',
  ]);
  expect(plan.data.map(({ database }) => database)).toEqual([0, 1]);
  expect(plan.workload.map(({ databases }) => databases)).toEqual([[0, 1]]);
  expect(planOf(describePlan(plan)).links).toEqual(plan.links);
});

test('ownership goes to the link that begins at the owner; there is no traffic without names for it', () => {
  const plan = planOf(
    specOf("{ kind: two-way, source: a, target: b, ownership: { a: ['a:*'], b: ['b:*', 'c:*'] } }"),
  );
  expect(plan.links.map(({ owns }) => owns)).toEqual([['a:*'], ['b:*', 'c:*']]);
  expect([plan.data, plan.workload]).toEqual([[], []]);
  expect(planOf(describePlan(plan)).links).toEqual(plan.links);
});

test('an explicit reverse waits for the link it is the reverse of', () => {
  const spec =
    'name: x\ninstances: { a: {}, b: {} }\nlinks:\n  - { id: back, source: b, target: a, incrementalOnly: true }\n  - { source: a, target: b }\n';
  expect(linksOf(planOf(spec))).toEqual([
    'back: b → a {"incrementalOnly":true,"startsAfter":"a-to-b"}',
    'a-to-b: a → b',
  ]);
});

test('what instances of each kind have', () => {
  const { instances } = planOf(
    'name: x\ninstances: { a: { kind: sentinel }, b: { kind: cluster, replicas: 1 }, c: { kind: codis-group }, d: {} }\ntopology: { kind: one-to-many, source: d, targets: [a, b, c] }\ndata: []\nworkload: [{ databases: [0] }]\n',
  );
  expect(
    instances.map(({ kind, replicas, shards, sentinels }) => ({ kind, replicas, shards, sentinels })),
  ).toEqual([
    { kind: 'sentinel', replicas: 1, shards: 1, sentinels: 3 },
    { kind: 'cluster', replicas: 1, shards: 3, sentinels: 0 },
    { kind: 'codis-group', replicas: 1, shards: 1, sentinels: 0 },
    { kind: 'standalone', replicas: 0, shards: 1, sentinels: 0 },
  ]);
});
