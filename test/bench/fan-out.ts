/** One source into three targets: by one replicator with three links (one PSYNC), against three replicators with one each. */
import { Connection } from '../../engine/connect/connection.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { EngineProcess } from './engine-process.ts';
import type { Measurement, Pair, SourceCost } from './measurement.ts';
import { countCost } from './source-cost.ts';
import { elapsedMs } from './stopwatch.ts';

const TARGETS = 3;

interface Run {
  ms: number;
  cpuSeconds: number;
  peakRssBytes: number;
  cost: SourceCost;
}

export async function measureFanOut(source: TestServer, keys: number, runs: number): Promise<Measurement> {
  const pairs: Pair[] = [];
  for (let turn = 0; turn < runs; turn++) {
    const apart = await oneRun(source, keys, true);
    const together = await oneRun(source, keys, false);
    pairs.push({
      oursMs: together.ms,
      referenceMs: apart.ms,
      cpuSeconds: together.cpuSeconds,
      peakRssBytes: together.peakRssBytes,
      atSource: { ours: together.cost, reference: apart.cost },
    });
  }
  return {
    name: `full sync, one to ${TARGETS}`,
    reference: `${TARGETS} separate links`,
    goal: 1,
    units: keys * TARGETS,
    unit: 'keys',
    pairs,
  };
}

async function oneRun(source: TestServer, keys: number, apart: boolean): Promise<Run> {
  await using onSource = await Connection.open(source.endpoint);
  const targets = await Promise.all(Array.from({ length: TARGETS }, () => startServer()));
  try {
    const links = targets.map(({ endpoint }, number) => ({ id: `bench-${number}`, target: endpoint }));
    const cost = await countCost(onSource);
    const began = performance.now();
    const engines = await Promise.all(
      (apart ? links.map((link) => [link]) : [links]).map((some) =>
        EngineProcess.startLinks(source.endpoint, some),
      ),
    );
    await Promise.all(engines.map((engine) => engine.synchronized()));
    const ms = elapsedMs(began);
    const statuses = await Promise.all(engines.map((engine) => engine.status()));
    await Promise.all(engines.map((engine) => engine.stop()));
    for (const { endpoint } of targets) await refuseOther(endpoint, keys);
    return {
      ms,
      cpuSeconds: statuses.reduce((sum, each) => sum + each.cpuSeconds, 0),
      peakRssBytes: statuses.reduce((sum, each) => sum + each.rssBytes, 0),
      cost: await cost(),
    };
  } finally {
    for (const target of targets) await target.stop();
  }
}

async function refuseOther(endpoint: TestServer['endpoint'], keys: number): Promise<void> {
  await using connection = await Connection.open(endpoint);
  const own = await connection.call('KEYS', 'redis-sync:*');
  const found = Number(await connection.call('DBSIZE')) - (Array.isArray(own) ? own.length : 0);
  if (found !== keys) throw new Error(`a target has ${found} keys instead of ${keys}`);
}
