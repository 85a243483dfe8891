/** The links of a circle are in one process, those of others in that of their source. */
import { expect, test } from 'vitest';
import { hostOf } from '../../../runner/plan/link-host.ts';
import { planOf } from '../spec/problems.ts';

const hosts = (text: string): [string, string][] => {
  const plan = planOf(text);
  return plan.links.map((link) => [link.id, hostOf(plan, link)]);
};

const PAIR =
  'name: x\ninstances: { home: {}, office: {} }\ntopology: { kind: two-way, source: home, target: office }\n';

test('of a pair: the forward one’s', () => {
  expect(hosts(PAIR)).toEqual([
    ['forward', 'home'],
    ['reverse', 'home'],
  ]);
});

test('of a ring: the first one’s', () => {
  const ring = 'name: x\ninstances: { a: {}, b: {}, c: {} }\ntopology: { kind: ring, members: [a, b, c] }\n';
  expect(hosts(ring).map(([, host]) => host)).toEqual(['a', 'a', 'a']);
});

test('of a pair with a cluster in it: each its own, for the shards have processes of their own', () => {
  expect(hosts(PAIR.replace('office: {}', 'office: { kind: cluster }'))).toEqual([
    ['forward', 'home'],
    ['reverse', 'office'],
  ]);
});

test('of links that are no pair: their own', () => {
  expect(
    hosts(
      'name: x\ninstances: { a: {}, b: {}, c: {} }\ntopology: { kind: many-to-one, sources: [a, b], target: c }\n',
    ).map(([, host]) => host),
  ).toEqual(['a', 'b']);
});
