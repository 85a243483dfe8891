import { expect, test } from 'vitest';
import { worstExitCode } from '../../../runner/run/verify.ts';

test.each<[number[], number]>([
  [[], 0],
  [[0, 0], 0],
  [[0, 4], 4],
  [[4, 1, 0], 1],
  [[1, 3], 3],
  [[3, 5, 1], 5],
  [[5, 130], 130],
])('the worst of %j is %i', (codes, worst) => {
  expect(worstExitCode(codes)).toBe(worst);
});
