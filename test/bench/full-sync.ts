/** Full sync of the million-key set: our link against REPLICAOF of the same source, in turn. */
import { Connection } from '../../engine/connect/connection.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { EngineProcess } from './engine-process.ts';
import type { Measurement, Pair } from './measurement.ts';
import { linkUp, replicaOf } from './replica.ts';
import { elapsedMs } from './stopwatch.ts';

export async function measureFullSync(source: TestServer, keys: number, runs: number): Promise<Measurement> {
  const pairs: Pair[] = [];
  for (let run = 0; run < runs; run++) {
    const referenceMs = await replicaRun(source);
    pairs.push({ ...(await engineRun(source, keys)), referenceMs });
  }
  return { name: 'full sync', reference: 'REPLICAOF', goal: 1.15, units: keys, unit: 'keys', pairs };
}

async function replicaRun(source: TestServer): Promise<number> {
  await using target = await startServer();
  await using connection = await Connection.open(target.endpoint);
  const began = performance.now();
  await replicaOf(connection, source.endpoint);
  await linkUp(connection);
  return elapsedMs(began);
}

/** From the order to the process until everything is applied and the checkpoint written. */
async function engineRun(source: TestServer, keys: number): Promise<Omit<Pair, 'referenceMs'>> {
  await using target = await startServer();
  await using connection = await Connection.open(target.endpoint);
  const engine = await EngineProcess.start(source.endpoint, target.endpoint);
  const began = performance.now();
  await engine.synchronized();
  const oursMs = elapsedMs(began);
  const { cpuSeconds, rssBytes } = await engine.status();
  await engine.stop();
  const own = await connection.call('KEYS', 'redis-sync:*');
  const found = Number(await connection.call('DBSIZE')) - (Array.isArray(own) ? own.length : 0);
  if (found !== keys) throw new Error(`the target has ${found} keys instead of ${keys}`);
  return { oursMs, cpuSeconds, peakRssBytes: rssBytes };
}
