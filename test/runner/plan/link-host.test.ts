/** Both directions of a pair are in one process, unless a cluster is at one end. */
import { expect, test } from 'vitest';
import { hostOf } from '../../../runner/plan/link-host.ts';
import { planOf } from '../spec/problems.ts';

const hosts = (text: string): [string, string][] => {
  const plan = planOf(text);
  return plan.links.map((link) => [link.id, hostOf(plan, link)]);
};

const pair = (office: string): string =>
  `name: x\ninstances: { home: {}, office: ${office} }\ntopology: { kind: two-way, source: home, target: office }\n`;

test('of a pair: the forward one’s', () => {
  expect(hosts(pair('{}'))).toEqual([
    ['forward', 'home'],
    ['reverse', 'home'],
  ]);
});

test('of a pair with a cluster: its own', () => {
  expect(hosts(pair('{ kind: cluster, shards: 3 }'))).toEqual([
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
