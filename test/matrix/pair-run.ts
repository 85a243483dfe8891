/**
 * One pair of servers: fill the source, full sync, commands of every version while it streams, compare everything.
 *
 * A difference is explained when it is in a value that the target cannot represent and a finding has said so; everything
 * else is a failure.
 */
import { compareInstances } from '../../engine/compare/compare.ts';
import type { Difference } from '../../engine/compare/difference.ts';
import { Connection } from '../../engine/connect/connection.ts';
import { asError } from '../../engine/errors.ts';
import { DEFAULT_ENGINE_OPTIONS } from '../../engine/link/options.ts';
import { ReplyError } from '../../engine/resp/reply.ts';
import { DEFAULT_MIX } from '../../scenarios/workload/mix.ts';
import { startWorkload } from '../../scenarios/workload/workload-start.ts';
import { LiveLink } from '../engine/link/live-link.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { FIELD_TTL_KEYS, MODULE_KEYS, STREAM_FORMS } from './stream-forms.ts';
import { fillSource } from './source-data.ts';

export interface MatrixServer {
  /** `redis 7.0.15`. */
  name: string;
  binary: string;
}

export interface PairResult {
  source: string;
  target: string;
  verdict: 'pass' | 'pass with losses' | 'fail';
  keys: number;
  /** Of the keys of the full sync: sent as commands instead of as payloads. */
  rebuilt: number;
  fullSyncKeys: number;
  streamCommands: number;
  /** What findings say was lost, one line each. */
  losses: string[];
  /** Why it failed. */
  problems: string[];
  durationMs: number;
}

export interface PairOptions {
  /** Seeded keys per database. */
  keys: number;
  workloadMs: number;
}

/** Server options under which a 6.0 server starts too. */
const CONFIG = {
  databases: '20',
  'proto-max-bulk-len': '512mb',
  'client-output-buffer-limit': 'replica 0 0 0',
};

export async function runPair(
  source: MatrixServer,
  target: MatrixServer,
  options: PairOptions,
): Promise<PairResult> {
  const started = performance.now();
  const result: PairResult = {
    source: source.name,
    target: target.name,
    verdict: 'fail',
    keys: 0,
    rebuilt: 0,
    fullSyncKeys: 0,
    streamCommands: 0,
    losses: [],
    problems: [],
    durationMs: 0,
  };
  try {
    await using from = await startServer(CONFIG, source.binary);
    await using to = await startServer(CONFIG, target.binary);
    await rehearse(from, to, options, result);
  } catch (error) {
    result.problems.push(asError(error).message);
  }
  result.durationMs = performance.now() - started;
  if (result.problems.length === 0) result.verdict = result.losses.length === 0 ? 'pass' : 'pass with losses';
  return result;
}

async function rehearse(
  from: TestServer,
  to: TestServer,
  options: PairOptions,
  result: PairResult,
): Promise<void> {
  await fillSource(from.endpoint, options.keys);
  await using link = await LiveLink.start(from.endpoint, to.endpoint, { unsupported: 'skip' });
  await link.heard((message) => message.kind === 'sync-finished');
  const { snapshot } = link.status;
  await stream(from, options);
  await link.drained(from.endpoint);
  await link.stop();
  result.fullSyncKeys = snapshot.keys;
  result.rebuilt = snapshot.rebuilt ?? 0;
  result.streamCommands = link.status.stream.commands;
  for (const { code, message } of link.said('finding')) {
    if (code === 'APPLY_ERROR') result.problems.push(message);
    else if (code !== 'FLUSH' && !result.losses.includes(message)) result.losses.push(message);
  }
  await compare(from, to, result);
}

/** Mixed traffic of every family, and then the forms by themselves. */
async function stream(from: TestServer, options: PairOptions): Promise<void> {
  const plan = {
    name: 'matrix',
    into: [],
    databases: [0, 12],
    ratePerSecond: 2000,
    clients: 2,
    start: 'incremental' as const,
    mix: { ...DEFAULT_MIX },
    keyspace: 200,
    prefix: 'workload:',
  };
  await using workload = await startWorkload([from.endpoint], plan, { seed: 5 });
  await new Promise((resolve) => setTimeout(resolve, options.workloadMs));
  await workload.stop();
  await using connection = await Connection.open(from.endpoint);
  for (const command of STREAM_FORMS) await connection.tryCall(...command);
  // One after the other in a transaction, too.
  await connection.pipeline([['SELECT', 12], ['MULTI'], ...STREAM_FORMS.filter(isKeyed), ['EXEC']]);
}

/** Unknown commands would abort the transaction: those that every version here knows. */
function isKeyed(command: readonly unknown[]): boolean {
  return /^(SET|SETEX|PSETEX|EXPIRE|PEXPIRE|EXPIREAT|RPUSH|ZADD|GEOADD|XACK|HSET|INCRBYFLOAT)$/.test(
    String(command[0]),
  );
}

async function compare(from: TestServer, to: TestServer, result: PairResult): Promise<void> {
  const comparison = await compareInstances({
    sources: [from.endpoint],
    targets: [to.endpoint],
    ignorePrefixes: [DEFAULT_ENGINE_OPTIONS.heartbeatPrefix],
    roundWaitMs: 200,
  });
  result.keys = comparison.keysCompared;
  const unexplained = comparison.differences.filter((difference) => !isExplained(difference, result));
  for (const { class: kind, database, key, detail } of unexplained.slice(0, 10)) {
    result.problems.push(`${kind} ${key} in database ${database}: ${detail}`);
  }
  for (const [reason, count] of Object.entries(comparison.unverified)) {
    if (count === 0) continue;
    // A vector set that gets its elements one by one draws random numbers on each side: equal contents, other bytes.
    if (reason.includes('module value')) result.losses.push(`not compared: ${reason} (VADD in the stream).`);
    else result.problems.push(`${count} keys could not be compared: ${reason}`);
  }
  await using connection = await Connection.open(to.endpoint);
  const left = await connection.tryCall('KEYS', 'redis-sync:tmp:*');
  if (left instanceof ReplyError || (Array.isArray(left) && left.length > 0))
    result.problems.push('a temporary key is left');
}

/** Before 6.2 a consumer that reads and gets nothing exists on the primary only: its own replicas lack it as well. */
const IDLE_CONSUMERS =
  'consumers that have got nothing yet: a source before 6.2 does not replicate them, to its own replicas neither';

function isExplained({ keyBase64, detail }: Difference, { source, losses }: PairResult): boolean {
  if (
    source.startsWith('redis 6.0') &&
    /^consumer .* is missing on the target \(nothing is pending/.test(detail)
  ) {
    if (!losses.includes(IDLE_CONSUMERS)) losses.push(IDLE_CONSUMERS);
    return true;
  }
  const key = Buffer.from(keyBase64, 'base64').toString('latin1');
  const lost = (words: string): boolean => losses.some((loss) => loss.includes(words));
  if (FIELD_TTL_KEYS.includes(key)) return lost('expiry of their own');
  return MODULE_KEYS.includes(key) && (lost('module value') || lost('VADD'));
}
