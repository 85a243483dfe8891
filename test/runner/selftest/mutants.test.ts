/** The selftest is complete: every check has a bad engine that it is there for, and every spec is right. */
import { describe, expect, test } from 'vitest';
import { historyOf } from '../../scenarios/checks/good-context.ts';
import { MUTANTS } from '../../../runner/selftest/mutants.ts';
import { SPECS } from '../../../runner/selftest/specs.ts';
import { describeSelftest } from '../../../runner/selftest/table.ts';
import { parseSpec } from '../../../runner/spec/load.ts';
import { CHECKS } from '../../../scenarios/checks/registry.ts';

test('names are unique', () => {
  expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
});

test('every check has a mutant, and every mutant a check', () => {
  const caughtBy = new Set(MUTANTS.flatMap((mutant) => mutant.caughtBy ?? []));
  expect([...caughtBy].toSorted()).toEqual(CHECKS.map(({ name }) => name).toSorted());
});

test('every spec with a bad engine has a control', () => {
  const specs = MUTANTS.flatMap(({ how, caughtBy }) => ('spec' in how ? [{ ...how, caughtBy }] : []));
  const controlled = specs.filter(({ caughtBy }) => caughtBy === null).map(({ spec }) => spec);
  // A rehearsal that is bad itself has none; the long one is the plain one, longer.
  const wanted = specs
    .filter(({ engine, spec }) => engine !== 'none' && spec !== 'long')
    .map(({ spec }) => spec);
  expect(wanted.filter((spec) => !controlled.includes(spec))).toEqual([]);
});

test.each(Object.entries(SPECS))('spec %s is valid', (_, spec) => {
  expect(parseSpec('x', JSON.stringify(spec))).toMatchObject({ kind: 'ok' });
});

describe('a doctored history', () => {
  test('is made from a copy', () => {
    const events = historyOf({ kind: 'evidence', evidence: { about: 'outcome', error: null } });
    const before = structuredClone(events);
    for (const { how } of MUTANTS) if ('doctored' in how) how.doctored(events);
    expect(events).toEqual(before);
  });
});

const FAIR = { vacuous: false, overtime: false };

test('the table says who got away, and what each check is needed for', () => {
  const text = describeSelftest({
    ok: false,
    without: ['counts'],
    mutants: [
      { name: 'good', what: 'nothing', caughtBy: null, catches: [], ok: true, ...FAIR, seconds: 1 },
      {
        name: 'caught',
        what: 'a',
        caughtBy: 'data-equal',
        catches: ['data-equal'],
        ok: true,
        ...FAIR,
        seconds: 2,
      },
      {
        name: 'free',
        what: 'b',
        caughtBy: 'counts',
        catches: [],
        ok: false,
        ...FAIR,
        folder: '/tmp/x',
        seconds: 3,
      },
      { name: 'shy', what: 'c', caughtBy: 'ttl', catches: [], ok: false, ...FAIR, vacuous: true, seconds: 4 },
      {
        name: 'slow',
        what: 'd',
        caughtBy: 'ttl',
        catches: ['ttl'],
        ok: false,
        ...FAIR,
        overtime: true,
        seconds: 5,
      },
    ],
    needed: { 'data-equal': ['caught'], counts: [] },
  });
  expect(text).toContain('not by counts; see /tmp/x');
  expect(text).toMatch(/data-equal +caught\n/);
  expect(text).toMatch(/shy .*vacuous: it found no occasion to do wrong/);
  expect(text).toMatch(/slow .*cut off, it took too long/);
  expect(text).toContain(
    'FAIL  1 of 4 bad engines got away without counts; not as it must be: free, shy, slow.',
  );
});
