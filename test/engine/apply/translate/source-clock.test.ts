import { describe, expect, it } from 'vitest';
import { SourceClock } from '../../../../engine/apply/translate/source-clock.ts';

describe('SourceClock', () => {
  it('takes the time of arrival, moved by the difference of the clocks, while we keep up', () => {
    const clock = new SourceClock(1000, () => -5000);
    clock.arrived(100_000);
    clock.heartbeat(99_999);
    clock.arrived(100_700);
    expect(clock.executedAtMs(999_999)).toBe(95_700);
  });

  it('takes the time of arrival without heartbeats, and the present when that is not known either', () => {
    const clock = new SourceClock(0, () => undefined);
    expect(clock.executedAtMs(7)).toBe(7);
    clock.arrived(5);
    clock.heartbeat(1);
    expect(clock.executedAtMs(7)).toBe(5);
    expect(clock.known).toBe(false);
  });

  it('behind a full sync of a minute is at most one interval late, and never early', () => {
    const clock = new SourceClock(1000, () => 0);
    // What the source kept for us arrives within 60 ms; heartbeats say when it was really executed.
    for (let second = 0; second < 60; second++) {
      const arrivedMs = 160_000 + second;
      clock.arrived(arrivedMs);
      clock.heartbeat(100_000 + second * 1000);
      for (const after of [0, 400, 999]) {
        const executed = Math.min(100_000 + second * 1000 + after, arrivedMs);
        const estimate = clock.executedAtMs(arrivedMs);
        expect(estimate).toBeGreaterThanOrEqual(executed);
        expect(estimate).toBeLessThanOrEqual(executed + 1001);
      }
    }
  });

  it('forgets heartbeats that stopped: then it is late rather than early', () => {
    const clock = new SourceClock(1000, () => 0);
    clock.arrived(160_000);
    clock.heartbeat(100_000);
    expect(clock.executedAtMs(0)).toBe(101_000);
    clock.arrived(163_001);
    expect(clock.executedAtMs(0)).toBe(163_001);
  });

  it('believes the heartbeat that was on its way for the shortest time', () => {
    const clock = new SourceClock(1000, () => 0);
    clock.arrived(160_000);
    clock.heartbeat(159_990);
    // Another machine's, whose clock is behind.
    clock.heartbeat(100_000);
    expect(clock.executedAtMs(0)).toBe(160_000);
  });
});
