/**
 * A cluster of three shards into another one: a process per source shard, against three plain replicas of the same shards,
 * which is the least that anybody can do. Full sync, then catching up with what was written while both sides were frozen.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { taggedLink } from '../../engine/apply/cluster/slot-checkpoints.ts';
import { describeShards } from '../../engine/connect/cluster-shard.ts';
import { Connection } from '../../engine/connect/connection.ts';
import { clusterSlot } from '../../engine/keys/cluster-slot.ts';
import { seedBenchSet } from '../../scenarios/data/bench-set.ts';
import { TestCluster, type TestNode } from '../support/cluster.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { EngineProcess } from './engine-process.ts';
import type { Measurement, Pair } from './measurement.ts';
import { linkUp, primaryOffset, replicaOf, replicaReached } from './replica.ts';
import { elapsedMs } from './stopwatch.ts';

const SHARDS = 3;
const run = promisify(execFile);

/** Forms the source, with `keys` keys of the bench set. */
export async function openSource(keys: number): Promise<TestCluster> {
  const source = await TestCluster.form(SHARDS, {
    config: { 'client-output-buffer-limit': 'replica 0 0 0', 'repl-backlog-size': '400mb' },
  });
  const { owners, shards } = await source.topology();
  for (const [index, { primary }] of shards.entries())
    await seedBenchSet(primary.endpoint, keys, 1, {
      isHere: (key) => owners[clusterSlot(Buffer.from(key))] === index,
    });
  return source;
}

export async function measureClusterFullSync(
  source: TestCluster,
  keys: number,
  runs: number,
): Promise<Measurement> {
  const pairs: Pair[] = [];
  for (let turn = 0; turn < runs; turn++) {
    const referenceMs = await replicasRun(source);
    pairs.push({ ...(await engineRun(source, keys)), referenceMs });
  }
  return {
    name: `full sync, ${SHARDS} → ${SHARDS} shards`,
    reference: `REPLICAOF of each shard`,
    goal: null,
    units: keys,
    unit: 'keys',
    pairs,
  };
}

/** @param commands of each run, over all shards. */
export async function measureClusterCatchUp(
  source: TestCluster,
  commands: number,
  runs: number,
): Promise<Measurement> {
  await using target = await TestCluster.form(SHARDS);
  const replicas = await openReplicas(source);
  const engines = await startEngines(source, target);
  try {
    await Promise.all(replicas.map(({ connection }) => linkUp(connection)));
    await Promise.all(engines.map(({ engine }) => engine.synchronized()));
    const pairs: Pair[] = [];
    for (let turn = 0; turn < runs; turn++)
      pairs.push(await catchUp(source, target, { engines, replicas, commands }));
    return {
      name: `catch-up, ${SHARDS} → ${SHARDS} shards`,
      reference: 'partial resync of a replica of each',
      goal: null,
      units: commands,
      unit: 'commands',
      pairs,
    };
  } finally {
    await Promise.all(engines.map(({ engine }) => engine.stop()));
    await closeAll(replicas);
  }
}

interface ShardEngine {
  link: string;
  engine: EngineProcess;
}

interface Replica {
  server: TestServer;
  connection: Connection;
}

async function catchUp(
  source: TestCluster,
  target: TestCluster,
  sides: { engines: readonly ShardEngine[]; replicas: readonly Replica[]; commands: number },
): Promise<Pair> {
  const { engines, replicas, commands } = sides;
  const before = await Promise.all(engines.map(({ engine }) => engine.status()));
  const [ours, theirs] = [engines.map(({ engine }) => engine.pid), replicas.map(({ server }) => server.pid)];
  signalAll([...ours, ...theirs], 'SIGSTOP');
  for (const { connection } of source.primaries) await connection.call('CLIENT', 'KILL', 'TYPE', 'replica');
  await write(source, commands);
  const ends = await Promise.all(source.primaries.map(({ connection }) => primaryOffset(connection)));
  const referenceMs = await thawed(theirs, () =>
    Promise.all(replicas.map(({ connection }, index) => replicaReached(connection, ends[index] ?? 0n))),
  );
  signalAll(theirs, 'SIGSTOP');
  const nodes = await Promise.all(engines.map(({ link }) => nodeOf(target, link)));
  const oursMs = await thawed(ours, () =>
    Promise.all(
      engines.map(({ engine, link }, index) => {
        const node = nodes[index];
        if (node === undefined) throw new Error(`nobody has the record of ${link}`);
        return engine.reached(ends[index] ?? 0n, node.connection, taggedLink(link));
      }),
    ),
  );
  signalAll(theirs, 'SIGCONT');
  await Promise.all(replicas.map(({ connection }) => linkUp(connection)));
  const after = await Promise.all(engines.map(({ engine }) => engine.status()));
  if (after.some(({ fullResyncs }, index) => fullResyncs > (before[index]?.fullResyncs ?? 0)))
    throw new Error('a link did a full sync: the backlog was too small');
  return {
    oursMs,
    referenceMs,
    cpuSeconds: sum(after.map(({ cpuSeconds }) => cpuSeconds)) - sum(before.map((each) => each.cpuSeconds)),
    peakRssBytes: sum(after.map(({ rssBytes }) => rssBytes)),
  };
}

async function replicasRun(source: TestCluster): Promise<number> {
  const began = performance.now();
  const replicas = await openReplicas(source);
  try {
    await Promise.all(replicas.map(({ connection }) => linkUp(connection)));
    return elapsedMs(began);
  } finally {
    await closeAll(replicas);
  }
}

/** From the orders to the processes until everything is applied and the checkpoints written. */
async function engineRun(source: TestCluster, keys: number): Promise<Omit<Pair, 'referenceMs'>> {
  await using target = await TestCluster.form(SHARDS);
  const engines = await startEngines(source, target);
  const began = performance.now();
  await Promise.all(engines.map(({ engine }) => engine.synchronized()));
  const oursMs = elapsedMs(began);
  const statuses = await Promise.all(engines.map(({ engine }) => engine.status()));
  await Promise.all(engines.map(({ engine }) => engine.stop()));
  const found = sum(await Promise.all(target.primaries.map(countData)));
  if (found !== keys) throw new Error(`the target has ${found} keys instead of ${keys}`);
  return {
    oursMs,
    cpuSeconds: sum(statuses.map(({ cpuSeconds }) => cpuSeconds)),
    peakRssBytes: sum(statuses.map(({ rssBytes }) => rssBytes)),
  };
}

/** A process per shard of the source, as the runner does it. */
async function startEngines(source: TestCluster, target: TestCluster): Promise<ShardEngine[]> {
  const shards = await describeShards(source.seeds);
  const names = shards.map((_, number) => `bench/${number}`);
  return Promise.all(
    shards.map(async (shard, number) => {
      const link = names[number] ?? '';
      const siblings = names.filter((name) => name !== link);
      const order = { id: link, target: { kind: 'cluster', seeds: target.seeds } as const, siblings };
      return { link, engine: await EngineProcess.startLinks(shard, [order]) };
    }),
  );
}

async function openReplicas(source: TestCluster): Promise<Replica[]> {
  return Promise.all(
    source.primaries.map(async ({ server: primary }) => {
      const server = await startServer();
      const connection = await Connection.open(server.endpoint);
      await replicaOf(connection, primary.endpoint);
      return { server, connection };
    }),
  );
}

async function closeAll(replicas: readonly Replica[]): Promise<void> {
  for (const { server, connection } of replicas) {
    await connection.close();
    await server.stop();
  }
}

/** Which node of the target has the link's own checkpoint. */
async function nodeOf(target: TestCluster, link: string): Promise<TestNode | undefined> {
  const { owners, shards } = await target.topology();
  const owner = shards[owners[clusterSlot(Buffer.from(taggedLink(link)))] ?? -1];
  return target.primaries.find(({ id }) => id === owner?.primary.id);
}

async function countData({ connection }: TestNode): Promise<number> {
  const own = await connection.call('KEYS', 'redis-sync:*');
  return Number(await connection.call('DBSIZE')) - (Array.isArray(own) ? own.length : 0);
}

/** They neither read nor notice that their links are cut, until SIGCONT. */
function signalAll(pids: readonly number[], signal: 'SIGSTOP' | 'SIGCONT'): void {
  for (const pid of pids) process.kill(pid, signal);
}

/** How long it takes from SIGCONT, ms. */
async function thawed(pids: readonly number[], reached: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  signalAll(pids, 'SIGCONT');
  await reached();
  return elapsedMs(began);
}

async function write(source: TestCluster, commands: number): Promise<void> {
  const [first] = source.seeds;
  const options = `-p ${first?.port} --cluster -t set,incr,lpush,sadd,hset -r 100000 -P 64 -q -d 64`;
  await run('redis-benchmark', [...options.split(' '), '-n', String(Math.floor(commands / 5))]);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
