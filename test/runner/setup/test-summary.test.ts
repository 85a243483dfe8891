import { expect, test } from 'vitest';
import { summarize } from '../../../runner/setup/test-summary.mjs';

const counts = { passed: 7, failed: 0, skipped: 1 };

test('everything passed', () => {
  expect(summarize(counts, 0)).toEqual({ line: '7 passed, 0 failed, 1 skipped', exitCode: 0 });
});

test('a failure is counted, and is vitest’s exit code', () => {
  expect(summarize({ ...counts, failed: 2 }, 1)).toEqual({
    line: '7 passed, 2 failed, 1 skipped',
    exitCode: 1,
  });
});

test('vitest complains although no test failed: the line says so', () => {
  expect(summarize(counts, 1)).toEqual({ line: '7 passed, 1 failed, 1 skipped', exitCode: 1 });
});

test('a failure vitest did not turn into an exit code still fails', () => {
  expect(summarize({ ...counts, failed: 1 }, 0)).toEqual({
    line: '7 passed, 1 failed, 1 skipped',
    exitCode: 1,
  });
});

test('vitest broke off before it could count', () => {
  expect(summarize(undefined, 134)).toEqual({ line: '0 passed, 1 failed, 0 skipped', exitCode: 134 });
  expect(summarize(undefined, 0)).toEqual({ line: '0 passed, 1 failed, 0 skipped', exitCode: 1 });
});
