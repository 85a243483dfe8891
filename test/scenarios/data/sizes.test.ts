/** Size tables keep what the spec says: the median, and 99 % below p99. */
import { describe, expect, test } from 'vitest';
import { Random } from '../../../scenarios/data/random.ts';
import { normalQuantile, SizeTable } from '../../../scenarios/data/sizes.ts';

function sample(distribution: { median: number; p99: number }, least = 0): number[] {
  const table = new SizeTable(distribution, least);
  const random = new Random(5);
  return Array.from({ length: 40_000 }, () => table.draw(random)).toSorted((a, b) => a - b);
}

describe('SizeTable', () => {
  test.each([
    { median: 120, p99: 8192 },
    { median: 8, p99: 300 },
    { median: 1000, p99: 1000 },
  ])('median $median and p99 $p99 are kept', (distribution) => {
    const sizes = sample(distribution);
    const median = sizes[20_000] ?? 0;
    const above = sizes.filter((size) => size > distribution.p99 * 1.02).length / sizes.length;
    expect(Math.abs(median - distribution.median) / distribution.median).toBeLessThan(0.08);
    expect(above).toBeLessThan(0.0125);
    expect(sizes.at(-1)).toBeGreaterThanOrEqual(distribution.p99);
  });

  test('nothing is smaller than the least', () => {
    expect(sample({ median: 1, p99: 3 }, 1)[0]).toBe(1);
  });

  test('a median of 0 and a p99 below the median are tame', () => {
    expect(sample({ median: 0, p99: 0 }).at(-1)).toBeLessThanOrEqual(1);
    expect(sample({ median: 50, p99: 10 }).at(-1)).toBe(50);
  });

  test('a draw cannot explode', () => {
    expect(new SizeTable({ median: 120, p99: 8192 }, 0).largest).toBeLessThan(200_000);
  });
});

test.each([
  [0.5, 0],
  [0.99, 2.3263478740408408],
  [0.01, -2.3263478740408408],
  [0.975, 1.959963984540054],
  [1e-4, -3.719016485455709],
])('the standard normal quantile of %d is %d', (p, z) => {
  expect(normalQuantile(p)).toBeCloseTo(z, 7);
});
