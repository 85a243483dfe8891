/**
 * A primary hands over without FAILOVER: nothing that a client was told is done is lost. With REDIS_SYNC_OLD_SERVER also on a
 * server before 6.2.
 */
import { describe, expect, it } from 'vitest';
import { Connection } from '../../../engine/connect/connection.ts';
import { parseInfo } from '../../../engine/resp/reply-text.ts';
import type { FaultContext } from '../../../scenarios/faults/fault.ts';
import { handOver, lacksFailover } from '../../../scenarios/faults/hand-over.ts';
import type { FaultNode } from '../../../scenarios/faults/subjects.ts';
import { systemClock } from '../../../scenarios/timeline/clock.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { until } from '../../support/until.ts';
import { NO_SUBJECTS } from '../no-subjects.ts';

const OLD = process.env['REDIS_SYNC_OLD_SERVER'];

const CONTEXT: FaultContext = {
  step: 'move',
  firing: 1,
  where: 'source',
  with: {},
  instances: new Map(),
  subjects: NO_SUBJECTS,
  emit: () => undefined,
  goOn: () => undefined,
  signal: new AbortController().signal,
  clock: systemClock,
};

function nodeOf({ endpoint }: TestServer, name: string): FaultNode {
  return { name, endpoint, address: `${endpoint.host}:${endpoint.port}` };
}

/** Counts up until it is cut off. @returns what the last answer said. */
async function countUp(server: TestServer, signal: AbortSignal): Promise<number> {
  await using client = await Connection.open(server.endpoint);
  signal.addEventListener('abort', () => void client.close(), { once: true });
  let acknowledged = 0;
  try {
    while (!signal.aborted) {
      const answer = await client.tryCall('INCR', 'n');
      if (typeof answer === 'number') acknowledged = answer;
    }
  } catch {
    // The answer to the last one did not come.
  }
  return acknowledged;
}

async function isInSync(replica: TestServer): Promise<boolean> {
  await using connection = await Connection.open(replica.endpoint);
  const info = parseInfo(await connection.call('INFO', 'replication'));
  return info['master_link_status'] === 'up' && info['master_sync_in_progress'] === '0';
}

/** @returns the last number that a client was told, and that the new primary has. */
async function handOverUnderLoad(
  binary: string | undefined,
): Promise<{ acknowledged: number; found: number }> {
  await using old = await startServer({}, binary);
  await using heir = await startServer({}, binary);
  await using onHeir = await Connection.open(heir.endpoint);
  await onHeir.call('REPLICAOF', '127.0.0.1', old.port);
  await until(() => isInSync(heir));
  const over = new AbortController();
  const counting = countUp(old, over.signal);
  await until(async () => Number(await onHeir.call('GET', 'n')) > 100);
  const isDone = await handOver(CONTEXT, nodeOf(old, 'primary'), nodeOf(heir, 'replica-0'), async () => {
    await using onOld = await Connection.open(old.endpoint);
    await onOld.call('REPLICAOF', '127.0.0.1', heir.port);
    return true;
  });
  expect(isDone).toBe(true);
  over.abort();
  const acknowledged = await counting;
  await using onOld = await Connection.open(old.endpoint);
  expect(await onOld.call('CONFIG', 'GET', 'min-slaves-to-write')).toEqual(
    ['min-slaves-to-write', '0'].map((word) => Buffer.from(word)),
  );
  expect(parseInfo(await onHeir.call('INFO', 'replication'))['role']).toBe('master');
  return { acknowledged, found: Number(await onHeir.call('GET', 'n')) };
}

describe('a hand-over without FAILOVER', () => {
  it('loses nothing that was acknowledged, while clients write', async () => {
    const { acknowledged, found } = await handOverUnderLoad(undefined);
    expect(found).toBeGreaterThanOrEqual(acknowledged);
  });

  it.skipIf(OLD === undefined)('does so before 6.2 too', async () => {
    await using server = await startServer({}, OLD);
    await using connection = await Connection.open(server.endpoint);
    expect(lacksFailover(await connection.tryCall('FAILOVER'))).toBe(true);
    const { acknowledged, found } = await handOverUnderLoad(OLD);
    expect(found).toBeGreaterThanOrEqual(acknowledged);
  });
});
