/**
 * Catching up with a backlog: the link is stopped, commands are written, the link continues from its checkpoint; against
 * a replica that was frozen for the same commands and continues with a partial resync.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Connection } from '../../engine/connect/connection.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { EngineProcess } from './engine-process.ts';
import type { Measurement, Pair } from './measurement.ts';
import { linkUp, primaryOffset, replicaOf, replicaReached } from './replica.ts';
import { elapsedMs } from './stopwatch.ts';

const run = promisify(execFile);

/** The source needs a backlog that holds everything written in one run. */
export async function measureCatchUp(commands: number, runs: number): Promise<Measurement> {
  await using source = await startServer({ 'repl-backlog-size': '1gb' });
  await using replica = await startServer();
  await using target = await startServer();
  await using onSource = await Connection.open(source.endpoint);
  await using onReplica = await Connection.open(replica.endpoint);
  await replicaOf(onReplica, source.endpoint);
  await linkUp(onReplica);
  const first = await EngineProcess.start(source.endpoint, target.endpoint);
  await first.synchronized();
  await first.stop();
  const pairs: Pair[] = [];
  for (let turn = 0; turn < runs; turn++) {
    await freeze(replica, onSource);
    await write(source, commands);
    const end = await primaryOffset(onSource);
    const began = performance.now();
    process.kill(replica.pid, 'SIGCONT');
    await replicaReached(onReplica, end);
    const referenceMs = elapsedMs(began);
    await freeze(replica, onSource);
    const ours = await engineRun(source, target, end);
    process.kill(replica.pid, 'SIGCONT');
    await linkUp(onReplica);
    pairs.push({ ...ours, referenceMs });
  }
  return {
    name: 'catch-up',
    reference: 'partial resync of a replica',
    goal: 1.5,
    units: commands,
    unit: 'commands',
    pairs,
  };
}

/** The replica neither reads nor notices that its link is cut, until SIGCONT. */
async function freeze(replica: TestServer, source: Connection): Promise<void> {
  process.kill(replica.pid, 'SIGSTOP');
  await source.call('CLIENT', 'KILL', 'TYPE', 'replica');
}

async function write(source: TestServer, commands: number): Promise<void> {
  const perTest = String(Math.floor(commands / 5));
  await run('redis-benchmark', [
    '-p',
    String(source.port),
    '-t',
    'set,incr,lpush,sadd,hset',
    '-n',
    perTest,
    '-r',
    '100000',
    '-P',
    '64',
    '-q',
    '-d',
    '64',
  ]);
}

async function engineRun(
  source: TestServer,
  target: TestServer,
  end: bigint,
): Promise<Omit<Pair, 'referenceMs'>> {
  const engine = await EngineProcess.start(source.endpoint, target.endpoint);
  const began = performance.now();
  await engine.reached(end);
  const oursMs = elapsedMs(began);
  const { cpuSeconds, rssBytes, fullResyncs } = await engine.status();
  await engine.stop();
  if (fullResyncs > 0) throw new Error('the link did a full sync: the backlog was too small');
  return { oursMs, cpuSeconds, peakRssBytes: rssBytes };
}
