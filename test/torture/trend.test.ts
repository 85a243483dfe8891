/** A leak is called one, and nothing else is. */
import { describe, expect, test } from 'vitest';
import { Random } from '../../scenarios/data/random.ts';
import { isLeak, secondHalf, trendOf, type Sample } from './trend.ts';

const MB = 1_000_000;
const LIMITS = { growth: 10 * MB, share: 0.08 };
const random = new Random(7, 'trend');

/** A sample every 5 s of 15 minutes, as the second half of a soak has them. */
function series(value: (share: number, index: number) => number): Sample[] {
  const count = 180;
  return Array.from({ length: count }, (_, index) => ({
    atMs: index * 5000,
    value: value(index / (count - 1), index),
  }));
}

const noise = (size: number): number => (random.fraction() - 0.5) * 2 * size;

describe('memory that is called a leak', () => {
  test.each<[string, (share: number, index: number) => number]>([
    ['one megabyte a minute', (share) => 100 * MB + 15 * MB * share],
    ['the same under noise of ten megabytes', (share) => 100 * MB + 20 * MB * share + noise(10 * MB)],
    [
      'a saw whose teeth stand ever higher',
      (share, index) => 80 * MB + 25 * MB * share + (index % 12) * 2 * MB,
    ],
    ['a stair', (share) => 90 * MB + Math.floor(share * 6) * 5 * MB],
  ])('%s', (_, value) => {
    expect(isLeak(trendOf(series(value)), LIMITS)).toBe(true);
  });
});

describe('memory that is not', () => {
  test.each<[string, (share: number, index: number) => number]>([
    ['constant', () => 100 * MB],
    ['noise', () => 100 * MB + noise(30 * MB)],
    ['a saw', (_, index) => 80 * MB + (index % 20) * 3 * MB],
    ['one step near the end', (share) => (share < 0.8 ? 90 * MB : 130 * MB)],
    ['a spike', (_, index) => (index === 100 ? 600 * MB : 90 * MB)],
    ['falling', (share) => 150 * MB - 40 * MB * share],
    ['a growth too small to matter', (share) => 100 * MB + 5 * MB * share],
  ])('%s', (_, value) => {
    expect(isLeak(trendOf(series(value)), LIMITS)).toBe(false);
  });
});

test('the growth is that of the whole time', () => {
  const trend = trendOf(series((share) => 10 + 6 * share));
  expect(trend.growth).toBeCloseTo(6, 9);
  expect(trend.median).toBeCloseTo(13, 9);
  expect(trend.tau).toBe(1);
});

test('the second half begins at half of the time, not of the samples', () => {
  const samples = [0, 10, 20, 30, 40, 100].map((atMs) => ({ atMs, value: 0 }));
  expect(secondHalf(samples).map(({ atMs }) => atMs)).toEqual([100]);
});

test('two samples are no series', () => {
  expect(() =>
    trendOf([
      { atMs: 0, value: 1 },
      { atMs: 1, value: 2 },
    ]),
  ).toThrow(RangeError);
});
