/** The schedule is the seed's, has every phase and every nuisance, and no cut of nothing. */
import { expect, test } from 'vitest';
import { Random } from '../../scenarios/data/random.ts';
import { drawNuisance, PHASES, planKills } from './schedule.ts';

const nuisances = (seed: number, count: number) => {
  const random = new Random(seed, 'assault');
  return Array.from({ length: count }, () => drawNuisance(random, { longStopMs: 3500 }));
};

test('one seed, one schedule', () => {
  expect(planKills(new Random(1, 'kills'), 50)).toEqual(planKills(new Random(1, 'kills'), 50));
  expect(planKills(new Random(1, 'kills'), 50)).not.toEqual(planKills(new Random(2, 'kills'), 50));
  expect(nuisances(1, 50)).toEqual(nuisances(1, 50));
});

test('twenty-five kills hit every phase, and force full syncs', () => {
  const plan = planKills(new Random(1, 'kills'), 25);
  const phases = PHASES.map((phase) => plan.filter((kill) => kill.phase === phase).length);
  expect(phases).toEqual([5, 8, 12]);
  expect(plan.filter((kill) => kill.forceFullSync)).toHaveLength(2);
  expect(new Set(plan.map((kill) => kill.ending))).toEqual(new Set(['kill', 'stop', 'overtake']));
  expect(plan.filter((kill) => kill.phase === 'starting' && kill.place === 0)).toHaveLength(3);
  expect(plan.every((kill) => kill.place >= 0 && kill.place <= 1.1)).toBe(true);
});

test('every kind of nuisance comes, on both sides and in both directions', () => {
  const kinds = new Set(
    nuisances(1, 500).map((each) => {
      if (each.kind !== 'cut') return 'side' in each ? `${each.kind} ${each.side}` : each.kind;
      return each.cut.kind === 'late' ? 'late' : `drop ${each.side} ${each.cut.direction}`;
    }),
  );
  expect([...kinds].toSorted()).toEqual([
    'client-kill source',
    'client-kill target',
    'drop source reply',
    'drop source request',
    'drop target reply',
    'drop target request',
    'late',
    'snapshot-form',
    'stop-target',
  ]);
});

test('cuts come at the first bytes and deep in the data', () => {
  const places = nuisances(1, 2000).flatMap((each) => (each.kind === 'cut' ? each.cut.afterBytes : []));
  expect(Math.min(...places)).toBe(0);
  expect(Math.max(...places)).toBeGreaterThan(100_000);
});
