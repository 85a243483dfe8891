import { expect, test } from 'vitest';
import type { ComparisonResult, Difference } from '../../../engine/compare/difference.ts';
import { mergeComparisons } from '../../../runner/run/comparison.ts';

const PART: ComparisonResult = {
  method: 'commands',
  rounds: 2,
  keysCompared: 10,
  bytesCompared: 100,
  durationMs: 5,
  passMs: 4,
  counts: [{ database: 0, sourceKeys: 11, targetKeys: 10, sourceExpires: 1, targetExpires: 0 }],
  types: [{ database: 0, type: 'string', compared: 10, equal: 9, different: 1 }],
  totals: { MISSING_KEY: 1, EXTRA_KEY: 0, TYPE_MISMATCH: 0, VALUE_MISMATCH: 1, TTL_MISMATCH: 1 },
  differences: [difference(3, 'a'), difference(0, 'b'), difference(0, 'a')],
  unverified: { 'too large': 2 },
  transient: 3,
  expiredInFlight: 4,
  notRechecked: 5,
  ignored: { source: 1, target: 2 },
  warnings: ['the clocks differ'],
  clockSkewMs: 7,
  memory: { tableBytes: 1, peakRssBytes: 2 },
};

test('of one link: everything is kept, the differences in the order of the keys', () => {
  const { counts, types, differences, ignored: _ignored, memory: _memory, ...same } = PART;
  const merged = mergeComparisons([[{ id: 'l' }, PART]]);
  expect(merged).toMatchObject(same);
  expect(merged.counts).toEqual(counts.map((row) => ({ link: 'l', ...row })));
  expect(merged.types).toEqual(types.map((row) => ({ link: 'l', ...row })));
  expect(merged.differences.map(({ link, database, key }) => [link, database, key])).toEqual([
    ['l', 0, '"a"'],
    ['l', 0, '"b"'],
    ['l', 3, '"a"'],
  ]);
  expect(merged.differences).toHaveLength(differences.length);
});

test('of several: numbers are added, the worst of each counts, warnings say whose they are', () => {
  const other: ComparisonResult = {
    ...PART,
    method: 'snapshot',
    methodReason: 'because',
    rounds: 3,
    clockSkewMs: 2,
  };
  expect(
    mergeComparisons([
      [{ id: 'l' }, PART],
      [{ id: 'm' }, other],
    ]),
  ).toMatchObject({
    method: 'commands, snapshot',
    methodReason: 'because',
    rounds: 3,
    keysCompared: 20,
    totals: { MISSING_KEY: 2, VALUE_MISMATCH: 2, TTL_MISMATCH: 2 },
    unverified: { 'too large': 4 },
    transient: 6,
    expiredInFlight: 8,
    notRechecked: 10,
    clockSkewMs: 7,
    warnings: ['l: the clocks differ', 'm: the clocks differ'],
  });
});

function difference(database: number, key: string): Difference {
  return {
    class: 'MISSING_KEY',
    database,
    key: `"${key}"`,
    keyBase64: Buffer.from(key).toString('base64'),
    source: null,
    target: null,
    detail: '',
  };
}
