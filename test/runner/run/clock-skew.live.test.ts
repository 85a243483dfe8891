/** Clocks that are moved under a running link; skipped where libfaketime is not installed. */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Connection } from '../../../engine/connect/connection.ts';
import { parseInfo } from '../../../engine/resp/reply-text.ts';
import { expandPlan } from '../../../runner/plan/expand.ts';
import { findClockLibrary } from '../../../runner/provision/movable-clock.ts';
import { ProcessLedger } from '../../../runner/provision/process-ledger.ts';
import { provisionAll } from '../../../runner/provision/registry.ts';
import { clockSkew } from '../../../scenarios/faults/clock-skew.ts';
import { nowOf } from '../../support/server-clock.ts';
import { openTemporaryFolder } from '../../support/temporary-folder.ts';
import { FaultPair } from './fault-pair.ts';

describe.skipIf(findClockLibrary(process.env) === undefined)('the fault clock-skew', () => {
  let pair: FaultPair;
  beforeAll(async () => {
    pair = await FaultPair.start({ movable: 'target' });
  });
  afterAll(() => pair[Symbol.asyncDispose]());

  test.each(['45s', '-45s'])('moves the clock of a server by %s, and puts it back', async (by) => {
    const injection = clockSkew.prepare(pair.context('skew', 'target', { by }));
    const aheadMs = Number.parseInt(by, 10) * 1000;
    try {
      const outcome = await injection.inject();
      expect(outcome).toMatchObject({ effective: true });
      await using target = await Connection.open(await pair.primary('target'));
      expect(Math.round(((await nowOf(target)) - Date.now()) / 1000) * 1000).toBe(aheadMs);
      expect(await pair.works()).toBe(true);
    } finally {
      await injection.heal();
    }
    await using target = await Connection.open(await pair.primary('target'));
    expect(Math.abs((await nowOf(target)) - Date.now())).toBeLessThan(5000);
    expect(await pair.works()).toBe(true);
  });

  test('leaves nothing in shared memory, and the other server alone', async () => {
    await using target = await Connection.open(await pair.primary('target'));
    const { process_id: pid } = parseInfo(await target.call('INFO', 'server'));
    expect(pid).toMatch(/^\d+$/);
    expect(existsSync(`/dev/shm/faketime_shm_${pid}`)).toBe(false);
    expect(existsSync(`/dev/shm/sem.faketime_sem_${pid}`)).toBe(false);
    const injection = clockSkew.prepare(pair.context('skew', 'source', {}));
    await expect(injection.inject()).rejects.toMatchObject({ code: 'SPEC_INVALID' });
  });
});

test('without the library nothing is started, and what to install is said', async () => {
  await using folder = await openTemporaryFolder();
  const plan = expandPlan(
    {
      name: 'skewed',
      instances: { source: {}, target: {} },
      topology: { kind: 'one-way', source: 'source', target: 'target' },
      timeline: [{ fault: 'clock-skew', where: 'target.primary', at: '1h' }],
    },
    { specPath: 'spec.yaml', sha256: '' },
  );
  expect(plan.instances.map(({ name, movableClock }) => [name, movableClock])).toEqual([
    ['source', undefined],
    ['target', true],
  ]);
  const processes = await ProcessLedger.open(folder.path);
  const env = { PATH: process.env['PATH'], REDIS_SYNC_LIBFAKETIME: '/nowhere/libfaketimeMT.so.1' };
  const started = provisionAll(plan.instances, { runFolder: folder.path, processes, env });
  await expect(started).rejects.toMatchObject({
    code: 'PROVISION',
    where: 'target',
    hint: expect.stringContaining('apt-get install libfaketime'),
  });
  expect(existsSync(`${folder.path}/servers`)).toBe(false);
  await processes[Symbol.asyncDispose]();
});
