/** Shares are exact and every dealt key is one of a share. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DATA_TYPES, type DataType } from '../../../scenarios/data/dataset.ts';
import { Random } from '../../../scenarios/data/random.ts';
import { shareKeys, TypeDealer } from '../../../scenarios/data/type-shares.ts';

const weights = fc
  .array(fc.tuple(fc.constantFrom(...DATA_TYPES), fc.double({ min: 0.01, max: 100, noNaN: true })), {
    minLength: 1,
  })
  .map((pairs): Partial<Record<DataType, number>> => Object.fromEntries(pairs));

describe('shareKeys', () => {
  test('the sum is the number of keys, and no share is a whole key away from its weight', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 5000 }), weights, (keys, types) => {
        const shares = shareKeys(keys, types);
        const total = Object.values(types).reduce((sum, weight) => sum + weight, 0);
        expect([...shares.values()].reduce((sum, share) => sum + share, 0)).toBe(keys);
        for (const [type, share] of shares) {
          const exact = ((types[type] ?? 0) / total) * keys;
          expect(Math.abs(share - exact)).toBeLessThan(shares.size + 1);
        }
      }),
      { seed: 2, numRuns: 300 },
    );
  });

  test('a type with the smallest weight still gets a key', () => {
    expect(shareKeys(10, { string: 1000, stream: 1, geo: 0 })).toEqual(
      new Map([
        ['string', 9],
        ['stream', 1],
      ]),
    );
  });

  test('fewer keys than types is possible', () => {
    expect([...shareKeys(1, { string: 1, hash: 5 })]).toEqual([
      ['string', 0],
      ['hash', 1],
    ]);
  });

  test('keys of no type are refused', () => {
    expect(() => shareKeys(1, { string: 0 })).toThrow(RangeError);
    expect(shareKeys(0, {}).size).toBe(0);
  });
});

test('the dealer hands out each share exactly and then refuses', () => {
  const shares = new Map<DataType, number>([
    ['string', 70],
    ['hash', 29],
    ['stream', 1],
  ]);
  const dealer = new TypeDealer(shares, new Random(1));
  const dealt = Array.from({ length: 100 }, () => dealer.next());
  expect(
    new Map([...shares.keys()].map((type) => [type, dealt.filter((each) => each === type).length])),
  ).toEqual(shares);
  expect(dealt.slice(0, 29)).toContain('hash');
  expect(() => dealer.next()).toThrow(RangeError);
});
