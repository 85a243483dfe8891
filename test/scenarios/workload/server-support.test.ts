/** Versions compare by number, part by part. */
import { expect, test } from 'vitest';
import { isAtLeast } from '../../../scenarios/workload/server-support.ts';

test.each([
  ['7.0.15', '7.0', true],
  ['7.0.15', '6.2', true],
  ['6.2.16', '7.0', false],
  ['7.2', '7.2.1', false],
  ['10.0', '7.4', true],
  ['0', '2.8', false],
  ['2.8', '0', true],
])('%s is at least %s: %s', (version, least, expected) => {
  expect(isAtLeast(version, least)).toBe(expected);
});
