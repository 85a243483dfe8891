/** The page of results: what is not as expected stands out, and a partial rerun only changes its own cells. */
import { expect, test } from 'vitest';
import { cellName, mergeCells, type Cell } from './cell.ts';
import { renderPage } from './page.ts';
import { shrink } from './small-spec.ts';

function cell(spec: string, changes: Partial<Cell> = {}): Cell {
  return {
    scenario: 'net-cut',
    variant: 'default',
    spec,
    verdict: 'pass',
    reasons: [],
    findings: [],
    seconds: 6,
    server: 'redis 7.0.15',
    day: '2024-06-11',
    ...changes,
  };
}

const CELLS = [
  cell('ring', { verdict: 'unfit', reasons: ['the target is no cluster'] }),
  cell('one-way', { findings: ['LAG'] }),
  cell('ring', { variant: 'vendor', verdict: 'late', reasons: ['ended after\n150 s | twice'], seconds: 150 }),
];

test('a row per scenario and policy, a column per topology, and every run in full', () => {
  const page = renderPage(CELLS);
  expect(page).toContain('1 of 2 passed with redis 7.0.15, 2024-06-11, in 3 minutes of rehearsals.');
  expect(page).toContain('| scenario | one-way | ring |');
  expect(page).toContain('| net-cut | pass 6 s | – (1) |');
  expect(page).toContain('| net-cut (vendor) | not run | **late** 150 s |');
  expect(page).toContain('1. the target is no cluster');
  expect(page).toContain('| net-cut | one-way | pass | LAG | 6 |');
  expect(page).toContain('* net-cut (vendor) on ring: late. ended after 150 s / twice');
});

test('a rerun replaces its cells and adds new ones; what is gone from the registry goes', () => {
  const again = cell('one-way', { verdict: 'fail' });
  const order = [cell('ring'), cell('one-way'), cell('new')];
  const merged = mergeCells(CELLS, [again, cell('new')], order);
  expect(merged.map((each) => `${cellName(each)}: ${each.verdict}`)).toEqual([
    'net-cut (default) on ring: unfit',
    'net-cut (default) on one-way: fail',
    'net-cut (default) on new: pass',
  ]);
});

test('a small spec keeps its topology, places and prefixes', () => {
  const text =
    'name: x\ntopology: { kind: ring }\ndata: [{ into: a, keys: 90000, prefix: "p:" }, { keys: 10 }]\nworkload: [{ into: a, rate: 5000/s }]\n';
  expect(JSON.parse(shrink(text))).toMatchObject({
    topology: { kind: 'ring' },
    data: [{ into: 'a', keys: 1000, prefix: 'p:' }, { keys: 10 }],
    workload: [{ into: 'a', rate: '1000/s', mix: { set: 5 } }],
  });
});
