/** How far a server's clock is from ours, from what it answered. */
import { expect, test } from 'vitest';
import { ClockOffset } from '../../../engine/link/clock-offset.ts';

/** A reply to TIME, ms since the epoch. */
function time(ms: number): string[] {
  return [String(Math.floor(ms / 1000)), String((ms % 1000) * 1000)];
}

test('the sample with the shortest way counts', () => {
  const clock = new ClockOffset();
  expect(clock.ms).toBeUndefined();
  clock.observe(time(10_105), 10_000, 10_010);
  clock.observe(time(11_150), 11_000, 11_100);
  expect(clock.ms).toBe(100);
});

test('a clock that was set counts from the next sample on, however long that was under way', () => {
  const clock = new ClockOffset();
  for (let at = 1000; at < 11_000; at += 1000) clock.observe(time(at), at, at);
  clock.observe(time(41_100), 11_000, 11_200);
  expect(clock.ms).toBe(30_000);
  clock.observe(time(12_100), 12_000, 12_200);
  expect(clock.ms).toBe(0);
});

test('a sample that took long, and says nothing against the others, leaves them', () => {
  const clock = new ClockOffset();
  clock.observe(time(1000), 1000, 1000);
  clock.observe(time(2900), 2000, 3000);
  expect(clock.ms).toBe(0);
});
