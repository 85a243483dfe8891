/** Chaos as drawn: repeatable, bounded, valid, never the same twice to one server at a time, and never about nothing. */
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { DRAWS, NOT_DRAWN } from '../../../scenarios/chaos/draws.ts';
import { drawTimeline, type ChaosAim, type ChaosTimeline } from '../../../scenarios/chaos/draw-timeline.ts';
import { CHAOS_PROFILE_NAMES, CHAOS_PROFILES } from '../../../scenarios/chaos/profiles.ts';
import { FAULTS, findFault } from '../../../scenarios/faults/registry.ts';
import type { StepPlan } from '../../../scenarios/timeline/step.ts';

const SEEDS = Array.from({ length: 200 }, (_, seed) => seed);
const EVERYTHING = new Set([
  'kill',
  'pause',
  'restart',
  'config',
  'write',
  'debug',
  'replica',
  'standalone',
  'engine',
  'proxy',
]);
const aimAt = (place: ChaosAim['place'], where: string, subject: string): ChaosAim => ({
  place,
  where,
  subject,
  abilities: EVERYTHING,
  mayResync: true,
});
const AIMS: readonly ChaosAim[] = [
  aimAt('source', 'source', 'server source'),
  aimAt('target', 'target', 'server target'),
  aimAt('link', 'link:l', 'engine of source'),
  aimAt('way to source', 'link:l.source', 'way to source'),
  aimAt('way to target', 'link:l.target', 'way to target'),
];

const draw = (seed: number, profile = CHAOS_PROFILES[1]?.name ?? 'rough', aims = AIMS): ChaosTimeline =>
  drawTimeline({ profile, seed, aims, faults: FAULTS });

const endOf = ({ trigger, forMs = 0 }: StepPlan): number => (trigger.atMs ?? 0) + forMs;
const beginOf = ({ trigger }: StepPlan): number => trigger.atMs ?? 0;

test('every fault there is either may be drawn, or says why not', () => {
  const drawn = DRAWS.map(({ fault }) => fault);
  const undecided = FAULTS.map(({ name }) => name).filter(
    (name) => !drawn.includes(name) && !Object.hasOwn(NOT_DRAWN, name),
  );
  expect(undecided).toEqual([]);
  expect(drawn.filter((name) => Object.hasOwn(NOT_DRAWN, name))).toEqual([]);
  expect(new Set(drawn).size).toBe(drawn.length);
});

test('the same seed draws the same timeline, another seed another one', () => {
  expect(draw(7)).toEqual(draw(7));
  const different = new Set(SEEDS.map((seed) => JSON.stringify(draw(seed).steps)));
  expect(different.size).toBe(SEEDS.length);
});

describe.each(CHAOS_PROFILE_NAMES)('%s', (name) => {
  const profile = CHAOS_PROFILES.find((each) => each.name === name);
  if (profile === undefined) throw new Error(name);
  const timelines = SEEDS.map((seed) => draw(seed, name));

  test('keeps its bounds', () => {
    for (const { steps } of timelines) {
      expect(steps.length).toBeLessThanOrEqual(profile.steps[1]);
      expect(Math.max(...steps.map(endOf))).toBeLessThanOrEqual(profile.horizonMs);
      for (const step of steps) {
        const now = beginOf(step);
        const inEffect = steps.filter((other) => beginOf(other) <= now && now <= endOf(other));
        expect(inEffect.length).toBeLessThanOrEqual(profile.overlap);
        expect(inEffect.filter(({ where }) => where === step.where)).toEqual([step]);
      }
    }
  });

  test('has one step that must bite, before all others', () => {
    for (const { steps } of timelines) {
      const [first, ...others] = steps;
      expect(first?.optional).toBe(false);
      expect(DRAWS.find(({ fault }) => fault === first?.fault)?.sure).toBe(true);
      expect(others.every((step) => step.optional && beginOf(step) >= endOf(first ?? step))).toBe(true);
    }
  });

  test('draws settings that the faults take', () => {
    const ajv = new Ajv({ strict: false });
    for (const { fault, with: settings } of timelines.flatMap(({ steps }) => steps)) {
      const validate = ajv.compile({ ...findFault(fault)?.schema });
      expect({ fault, settings, errors: validate(settings) ? [] : validate.errors }).toMatchObject({
        errors: [],
      });
    }
  });

  test('draws every fault of its own in some run, and none of a harder profile', () => {
    const seen = new Set(timelines.flatMap(({ steps }) => steps.map(({ fault }) => fault)));
    expect([...seen].toSorted()).toEqual(timelines[0]?.possible.toSorted());
  });
});

test('most runs leave faults out', () => {
  const brutal = SEEDS.map((seed) => draw(seed, 'brutal'));
  expect(brutal.every(({ leftOut }) => leftOut.length > 0)).toBe(true);
});

test('nothing is drawn for what lacks the ability', () => {
  const aims = AIMS.map((aim) => ({ ...aim, abilities: new Set(['proxy']) }));
  const used = SEEDS.flatMap((seed) => draw(seed, 'brutal', aims).steps);
  expect(used.length).toBeGreaterThan(0);
  for (const { fault } of used) expect(findFault(fault)?.requires).toEqual(['proxy']);
});

const resyncs = (steps: readonly StepPlan[]): boolean =>
  steps.some(
    ({ fault, where }) =>
      where === 'source' && DRAWS.some((each) => each.fault === fault && each.resyncs === true),
  );

test('nothing that makes links copy again is drawn where that would leave stale keys', () => {
  const aims = AIMS.map((each) => ({ ...each, mayResync: each.place !== 'source' }));
  expect(SEEDS.some((seed) => resyncs(draw(seed, 'brutal').steps))).toBe(true);
  expect(SEEDS.some((seed) => resyncs(draw(seed, 'brutal', aims).steps))).toBe(false);
});

test('after the sync: the same order, counted from there', () => {
  const request = { profile: 'rough' as const, seed: 3, aims: AIMS, faults: FAULTS };
  const { steps } = drawTimeline({ ...request, afterSync: true });
  const before = drawTimeline(request).steps;
  expect(steps.map(({ trigger }) => trigger.when)).toEqual(steps.map(() => ({ phase: 'incremental' })));
  const later = steps.map(({ trigger }, index) => trigger.delayMs - beginOf(before[index] ?? steps[0]!));
  expect(new Set(later).size).toBe(1);
});

test('nothing at all where nothing can bite', () => {
  expect(draw(1, 'brutal', []).steps).toEqual([]);
});
