/** What is compared with what, and in which order links are drained, for every shape. */
import { expect, test } from 'vitest';
import { comparisonsOf } from '../../../runner/plan/comparisons.ts';
import type { LinkPlan } from '../../../runner/plan/plan.ts';
import { drainLevels } from '../../../runner/run/drain-levels.ts';

const link = (id: string, more: Partial<LinkPlan> = {}): LinkPlan => {
  const [source = '', target = ''] = id.split('-');
  return { id, source, target, ...more };
};

const SHAPES: [string, LinkPlan[], string[], string[][]][] = [
  ['one way', [link('a-b')], ['link a → b'], [['a-b']]],
  ['fan-out', [link('a-b'), link('a-c')], ['link a → b', 'link a → c'], [['a-b', 'a-c']]],
  [
    'a chain, in any order',
    [link('b-c'), link('a-b'), link('c-d')],
    ['link b → c', 'link a → b', 'link c → d', 'end-to-end a → d'],
    [['a-b'], ['b-c'], ['c-d']],
  ],
  ['fan-in', [link('a-c'), link('b-c')], ['union a+b → c'], [['a-c', 'b-c']]],
  [
    'fan-in, and on',
    [link('a-c'), link('b-c'), link('c-d')],
    ['union a+b → c', 'link c → d', 'end-to-end a+b → d'],
    [['a-c', 'b-c'], ['c-d']],
  ],
  ['a pair', [link('a-b'), link('b-a', { incrementalOnly: true })], ['link a → b'], [['a-b'], ['b-a']]],
  [
    'a ring',
    [link('a-b'), link('b-c'), link('c-a', { incrementalOnly: true })],
    ['link a → b', 'link b → c', 'end-to-end a → c'],
    [['a-b'], ['b-c'], ['c-a']],
  ],
];

test.each(SHAPES)('%s', (_, links, compared, drained) => {
  expect(
    comparisonsOf(links).map(({ kind, sources, target }) => `${kind} ${sources.join('+')} → ${target}`),
  ).toEqual(compared);
  expect(drainLevels(links).map((level) => level.map(({ id }) => id))).toEqual(drained);
});
