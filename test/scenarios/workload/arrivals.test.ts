/** The schedule follows the clock and nothing else. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Arrivals } from '../../../scenarios/workload/arrivals.ts';

test('whatever the moments it is asked at, the sum follows the rate', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200_000 }),
      fc.array(fc.double({ min: 0, max: 50, noNaN: true }), { minLength: 1 }),
      (rate, steps) => {
        const arrivals = new Arrivals(rate, 1000);
        let now = 1000;
        let sum = 0;
        for (const step of steps) sum += arrivals.due((now += step));
        expect(sum).toBe(arrivals.scheduled);
        expect(Math.abs(sum - ((now - 1000) * rate) / 1000)).toBeLessThanOrEqual(1.001);
      },
    ),
    { seed: 3, numRuns: 200 },
  );
});

test('after a pause everything that fell due is due at once', () => {
  const arrivals = new Arrivals(500, 0);
  expect([arrivals.due(10), arrivals.due(4010), arrivals.due(4010)]).toEqual([5, 2000, 0]);
});

test('a clock that goes back makes no arrivals and loses none', () => {
  const arrivals = new Arrivals(1000, 0);
  expect([arrivals.due(100), arrivals.due(50), arrivals.due(101)]).toEqual([100, 0, 1]);
});
