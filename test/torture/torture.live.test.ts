/** A short torture passes; and one whose target was damaged on purpose does not. */
import { rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { Connection } from '../../engine/connect/connection.ts';
import { runSession, type Session } from './session.ts';
import { formatResult } from './table.ts';
import { DEFAULT_TORTURE, torture } from './torture.ts';

const SHORT = { ...DEFAULT_TORTURE, keys: 3000, commandsPerSecond: 2000 };

test(
  '25 kills, connections cut, the history changed: nothing lost, nothing twice',
  { timeout: 180_000 },
  async () => {
    const result = await torture({ ...SHORT, seed: 20_240_601, kills: 25, cuts: 15 });
    expect(result.verdict === 'pass' ? '' : formatResult(result)).toBe('');
    expect(result).toMatchObject({
      verdict: 'pass',
      damage: { lost: 0, duplicated: 0, reordered: 0, unexpected: 0, differences: {} },
    });
    const { starting, 'full sync': fullSync, stream } = result.kills;
    expect(starting + fullSync + stream).toBeGreaterThanOrEqual(25);
    // A machine may be fast or slow, but no phase may have been missed, and every kind of resume must have happened.
    expect(Math.min(starting, fullSync, stream)).toBeGreaterThan(0);
    expect(
      Math.min(result.partialResyncs, result.fullSyncsFinished, result.cutsAtSource, result.cutsAtTarget),
    ).toBeGreaterThan(0);
  },
);

test('a write lost, a write twice and a key too many are found', { timeout: 120_000 }, async () => {
  const seed = 7;
  const result = await runSession(
    { ...SHORT, seed, keys: 300, nuisanceEveryMs: 60_000 },
    { act: aMoment, drained: damage },
  );
  await rm(result.evidenceFolder, { recursive: true });
  expect(result.verdict).toBe('fail');
  expect(result.damage).toMatchObject({
    lost: 1,
    duplicated: 1,
    differences: { VALUE_MISMATCH: 2, EXTRA_KEY: 1 },
  });
});

/** Until enough ledgered writes are there to be damaged. */
async function aMoment({ field }: Session): Promise<void> {
  while (field.ledger.counts().ok < 200) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function damage({ field }: Session): Promise<void> {
  await using target = await Connection.open(field.target.endpoint);
  for (const kind of ['list', 'counter'] as const) {
    const lane = field.ledger.lanes.find((each) => each.kind === kind && each.count('ok') > 0);
    if (lane === undefined) throw new Error(`no ledgered ${kind}`);
    await target.call('SELECT', lane.database);
    await target.call(kind === 'list' ? 'RPOP' : 'INCR', lane.key);
  }
  await target.call('SET', 'nobody wrote this', 1);
}
