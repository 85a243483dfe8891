/** Full-data comparison of two equal instances: by snapshots and by commands, against REPLICAOF of the same data. */
import { compareInstances } from '../../engine/compare/compare.ts';
import type { CompareMethod } from '../../engine/compare/difference.ts';
import { Connection } from '../../engine/connect/connection.ts';
import { startServer, type TestServer } from '../support/server.ts';
import type { Measurement, Pair } from './measurement.ts';
import { linkUp, replicaOf } from './replica.ts';
import { elapsedMs } from './stopwatch.ts';

export async function measureComparison(
  source: TestServer,
  keys: number,
  runs: number,
): Promise<Measurement[]> {
  const pairs: Record<CompareMethod, Pair[]> = { snapshot: [], commands: [] };
  for (let turn = 0; turn < runs; turn++) {
    await using target = await startServer();
    await using connection = await Connection.open(target.endpoint);
    const began = performance.now();
    await replicaOf(connection, source.endpoint);
    await linkUp(connection);
    const referenceMs = elapsedMs(began);
    await connection.call('REPLICAOF', 'NO', 'ONE');
    for (const method of ['snapshot', 'commands'] as const) {
      pairs[method].push({ oursMs: await compareRun(source, target, method, keys), referenceMs });
    }
  }
  return (['snapshot', 'commands'] as const).map((method) => ({
    name: `comparison (${method})`,
    reference: 'REPLICAOF',
    goal: method === 'snapshot' ? 1 : 1.5,
    units: keys,
    unit: 'keys',
    pairs: pairs[method],
  }));
}

async function compareRun(
  source: TestServer,
  target: TestServer,
  method: CompareMethod,
  keys: number,
): Promise<number> {
  const began = performance.now();
  const result = await compareInstances({ sources: [source.endpoint], targets: [target.endpoint], method });
  const oursMs = elapsedMs(began);
  const differences = Object.values(result.totals).reduce((sum, count) => sum + count, 0);
  if (result.keysCompared !== keys || differences > 0) {
    throw new Error(`compared ${result.keysCompared} of ${keys} keys, ${differences} differences`);
  }
  return oursMs;
}
