/**
 * Catching up with a backlog: the engine and a replica are frozen and cut off, commands are written, then one after the
 * other is let go, notices that it was cut off, and continues with a partial resync.
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
  await using onTarget = await Connection.open(target.endpoint);
  await replicaOf(onReplica, source.endpoint);
  await linkUp(onReplica);
  const engine = await EngineProcess.start(source.endpoint, target.endpoint);
  await engine.synchronized();
  await engine.status();
  const pairs: Pair[] = [];
  for (let turn = 0; turn < runs; turn++) {
    freeze(engine.pid, replica.pid);
    await onSource.call('CLIENT', 'KILL', 'TYPE', 'replica');
    await write(source, commands);
    const end = await primaryOffset(onSource);
    const referenceMs = await thawed(replica.pid, () => replicaReached(onReplica, end));
    freeze(replica.pid);
    pairs.push({ ...(await engineRun(engine, end, onTarget)), referenceMs });
    process.kill(replica.pid, 'SIGCONT');
    await linkUp(onReplica);
  }
  await engine.stop();
  return {
    name: 'catch-up',
    reference: 'partial resync of a replica',
    goal: 1.5,
    units: commands,
    unit: 'commands',
    pairs,
  };
}

/** They neither read nor notice that their links are cut, until SIGCONT. */
function freeze(...pids: number[]): void {
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
}

/** How long it takes from SIGCONT, ms. */
async function thawed(pid: number, reached: () => Promise<void>): Promise<number> {
  const began = performance.now();
  process.kill(pid, 'SIGCONT');
  await reached();
  return elapsedMs(began);
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
  engine: EngineProcess,
  end: bigint,
  onTarget: Connection,
): Promise<Omit<Pair, 'referenceMs'>> {
  const before = engine.lastStatus();
  const oursMs = await thawed(engine.pid, () => engine.reached(end, onTarget));
  const { cpuSeconds, rssBytes, fullResyncs } = await engine.status();
  if (fullResyncs > before.fullResyncs)
    throw new Error('the link did a full sync: the backlog was too small');
  return { oursMs, cpuSeconds: cpuSeconds - before.cpuSeconds, peakRssBytes: rssBytes };
}
