/**
 * Engines that do something to the servers that is none of their business. Where it is done at the source it comes to the
 * target by itself: both sides are equal then, and only who remembers what was written can tell.
 */
import { textOf } from '../../engine/resp/reply-text.ts';
import type { LaneKind } from '../../reports/evidence.ts';
import type { Meddling, Misbehaviour } from './misbehaviour.ts';

function meddling(meddle: (meddling: Meddling) => Promise<void>): Misbehaviour {
  return { meddle };
}

/** One command to a ledger lane of the source. */
function atLane(kind: LaneKind, command: (key: string) => (string | number)[]): Misbehaviour {
  return meddling(async ({ source, findLane, confess }) => {
    await source.call(...command(await findLane(kind)));
    confess();
  });
}

/** One command to the target. */
function atTarget(...command: string[]): Misbehaviour {
  return meddling(async ({ target, confess }) => {
    await target.tryCall(...command);
    confess();
  });
}

/** A write comes back to where it came from. */
export const echoes = atLane('list', (key) => ['RPUSH', key, 0]);

export const losesOnBothSides = atLane('list', (key) => ['LREM', key, 1, 1]);

export const reordersBothSides = atLane('list', (key) => ['LMOVE', key, key, 'LEFT', 'RIGHT']);

export const countsTwice = atLane('counter', (key) => ['INCRBY', key, 3]);

export const inventsElements = atLane('set', (key) => ['SADD', key, 999_999_999]);

export const strays = atLane('list', (key) => ['COPY', key, key, 'DB', 9]);

/** It says nothing and changes nothing, but never stops. */
export const isNeverQuiet = meddling(async ({ target, pause, signal, confess }) => {
  while (!signal.aborted) {
    await target.call('SETRANGE', 'no-such-key', 0, '');
    confess();
    await pause(20);
  }
});

/** A command is refused, and nobody hears of it. */
export const swallowsErrors = atTarget('SET', 'one-word-is-missing');

export const leaksHeartbeat = atTarget('SET', 'DTS_REDIS_TIMESTAMP_HEARTBEAT:leaked', '1');

export const leaksKey = atTarget('SET', 'redis-sync:tmp:leaked', '1');

export const forksSource = meddling(async ({ source, pause, signal, confess }) => {
  // Only one child at a time: that of the full sync may not be gone yet.
  while (!signal.aborted) {
    if (textOf(await source.tryCall('BGSAVE')) === 'Background saving started') return confess();
    await pause(50);
  }
});
