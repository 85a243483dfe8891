import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Backoff, delay, type BackoffOptions } from '../../../engine/psync/backoff.ts';

/** A backoff whose clock and dice are the test's. */
function makeBackoff(options: Partial<BackoffOptions> = {}): {
  backoff: Backoff;
  pass: (ms: number) => void;
} {
  let nowMs = 1_000_000;
  const backoff = new Backoff({
    firstMs: 50,
    capMs: 5000,
    budgetMs: 60_000,
    random: () => 1 - Number.EPSILON,
    now: () => nowMs,
    ...options,
  });
  return { backoff, pass: (ms) => (nowMs += ms) };
}

describe('Backoff', () => {
  it('doubles up to the cap', () => {
    const { backoff } = makeBackoff();
    const waits = Array.from({ length: 9 }, () => backoff.next());
    expect(waits).toEqual([50, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    expect(backoff.attempt).toBe(9);
  });

  it('takes its jitter from the upper half of the interval', () => {
    const low = makeBackoff({ random: () => 0 }).backoff;
    expect(Array.from({ length: 4 }, () => low.next())).toEqual([25, 50, 100, 200]);
    const dice = [0.5, 0.25, 0.75];
    const mixed = makeBackoff({ random: () => dice.shift() ?? 0 }).backoff;
    expect(Array.from({ length: 3 }, () => mixed.next())).toEqual([38, 63, 175]);
  });

  it('spends its budget from the first failure on, waits no longer than what is left, then gives up', () => {
    const { backoff, pass } = makeBackoff({ budgetMs: 120 });
    pass(1_000_000);
    expect(backoff.next()).toBe(50);
    pass(50);
    expect(backoff.next()).toBe(70);
    pass(69);
    expect(backoff.next()).toBe(1);
    pass(1);
    expect(backoff.next()).toBe(undefined);
    expect(backoff.next()).toBe(undefined);
  });

  it('starts over with a new budget after a success', () => {
    const { backoff, pass } = makeBackoff({ budgetMs: 100 });
    backoff.next();
    pass(100);
    expect(backoff.next()).toBe(undefined);
    backoff.reset();
    expect(backoff.attempt).toBe(0);
    expect(backoff.next()).toBe(50);
  });

  it('does not overflow after thousands of attempts', () => {
    const { backoff } = makeBackoff({ budgetMs: Number.MAX_SAFE_INTEGER });
    for (let attempt = 0; attempt < 5000; attempt++) expect(backoff.next()).toBeLessThanOrEqual(5000);
  });
});

describe('delay', () => {
  it('ends at once when the signal aborts, now or before', async () => {
    const controller = new AbortController();
    const waiting = delay(3_600_000, controller.signal);
    controller.abort();
    await waiting;
    await delay(3_600_000, controller.signal);
    expect(controller.signal.aborted).toBe(true);
  });

  it('leaves no listener on the signal', async () => {
    const { signal } = new AbortController();
    await delay(1, signal);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});
