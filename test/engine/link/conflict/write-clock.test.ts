/** When a write was executed is said with how wrong that may be. */
import { describe, expect, it } from 'vitest';
import { WriteClock } from '../../../../engine/link/conflict/write-clock.ts';

describe('WriteClock', () => {
  it('knows nothing but the arrival before the first heartbeat', () => {
    const clock = new WriteClock(100);
    clock.arrived(500);
    expect(clock.now()).toEqual({ atMs: 500, errorMs: Infinity });
  });

  it('takes half the way of the last heartbeat off, and may be wrong by as much', () => {
    const clock = new WriteClock(100);
    clock.arrived(1040);
    clock.heartbeat(1000);
    clock.arrived(1090);
    expect(clock.now()).toEqual({ atMs: 1070, errorMs: 20 });
  });

  it('only knows that it was after the last heartbeat when the stream stood still since', () => {
    const clock = new WriteClock(100);
    clock.arrived(1002);
    clock.heartbeat(1000);
    clock.arrived(9000);
    expect(clock.now()).toEqual({ atMs: 5000, errorMs: 4000 });
  });

  it('never goes back in one stream', () => {
    const clock = new WriteClock(1000);
    clock.arrived(1000);
    clock.heartbeat(1000);
    const before = clock.now().atMs;
    clock.arrived(1400);
    clock.heartbeat(1000);
    expect(clock.now().atMs).toBeGreaterThanOrEqual(before);
  });
});
