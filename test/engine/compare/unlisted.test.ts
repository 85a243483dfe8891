import { expect, test } from 'vitest';
import { Tally } from '../../../engine/compare/tally.ts';
import { UnlistedDifferences } from '../../../engine/compare/unlisted.ts';

function settle(again: { keys: number; settled: number }): Tally {
  const [tally, unlisted] = [new Tally(), new UnlistedDifferences()];
  for (let index = 0; index < 3; index++) unlisted.add(2, 'hash', ['VALUE_MISMATCH', 'TTL_MISMATCH'], false);
  unlisted.add(2, 'set', ['TTL_MISMATCH'], true);
  unlisted.settle(tally, again);
  unlisted.settle(tally, again);
  return tally;
}

test('count as differences when those that were read again stayed', () => {
  const tally = settle({ keys: 1000, settled: 10 });
  expect(tally.totals).toMatchObject({ VALUE_MISMATCH: 3, TTL_MISMATCH: 4 });
  expect(tally.notRechecked).toBe(4);
  expect(tally.unverified).toEqual({});
  expect(tally.rows()).toEqual({
    keysCompared: 3,
    types: [{ database: 2, type: 'hash', compared: 3, equal: 0, different: 3 }],
  });
});

test('are unverified when some of those read again had settled', () => {
  const tally = settle({ keys: 1000, settled: 11 });
  expect(tally.totals).toMatchObject({ VALUE_MISMATCH: 0, TTL_MISMATCH: 0 });
  expect(Object.values(tally.unverified)).toEqual([4]);
});
