/** What passes is waited for, what does not is told at once. */
import { expect, test } from 'vitest';
import { SyncError } from '../../../engine/errors.ts';
import { patiently } from '../../../runner/run/patience.ts';

const LOST = new SyncError('CONNECT', 'lost', { retryable: true });
const { signal } = new AbortController();

/** Fails with these, one after the other, then succeeds. */
function failing(...errors: Error[]): { work: () => Promise<number>; tries: () => number } {
  let tries = 0;
  return {
    work: async () => {
      const error = errors[tries++];
      if (error !== undefined) throw error;
      return tries;
    },
    tries: () => tries,
  };
}

test('again until it works', async () => {
  expect(await patiently(failing(LOST, LOST).work, { limitMs: 60_000, signal })).toBe(3);
});

test('not again when it cannot get better, when the time is over, when the run is', async () => {
  const refused = new SyncError('AUTH', 'wrong password');
  const { work, tries } = failing(refused);
  await expect(patiently(work, { limitMs: 60_000, signal })).rejects.toBe(refused);
  expect(tries()).toBe(1);
  await expect(patiently(failing(LOST).work, { limitMs: -1, signal })).rejects.toBe(LOST);
  const over = AbortSignal.abort(new Error('over'));
  await expect(patiently(failing(LOST).work, { limitMs: 60_000, signal: over })).rejects.toThrow('over');
});
