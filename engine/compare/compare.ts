/**
 * Compares all data of two instances: counts first, then type, value and expiry of every key in both directions, then
 * whatever differed once more until it is equal or has stayed different.
 *
 *   facts + counts ──▶ pass over all keys (snapshots or commands) ──▶ suspects ──▶ rounds ──▶ differences
 */
import type { Connection } from '../connect/connection.ts';
import type { Endpoint } from '../connect/endpoint.ts';
import { SyncError } from '../errors.ts';
import { runScanPass } from './commands/scan-pass.ts';
import { countIgnored, countRows } from './counts.ts';
import type { CompareMethod, ComparisonResult } from './difference.ts';
import { type CompareOptions, type CompareSettings, fillDefaults } from './options.ts';
import { openConnection } from './open-connection.ts';
import { PassState } from './pass-state.ts';
import { chooseMethod } from './method.ts';
import { recheckSuspects } from './recheck/rounds.ts';
import { readServerFacts, type Node } from './server-facts.ts';
import { runSnapshotPass } from './snapshot/snapshot-pass.ts';

/**
 * Both sides are lists of nodes that hold the side's keys together: one server, the primaries of a cluster, the servers
 * of Codis groups. Nothing is written anywhere.
 *
 * @returns what was found. Differences are not errors.
 * @throws SyncError CONNECT, AUTH, PERMISSION (a command that is needed is refused), PSYNC_REFUSED and SNAPSHOT_CORRUPT
 *   (only when `method` is `snapshot`), USAGE (no source or target), ABORTED.
 */
export async function compareInstances(options: CompareOptions): Promise<ComparisonResult> {
  if (options.sources.length === 0 || options.targets.length === 0) {
    throw new SyncError('USAGE', 'A comparison needs at least one source and one target.');
  }
  const settings = fillDefaults(options);
  const started = performance.now();
  try {
    return await compare(options, settings, started);
  } catch (error) {
    if (settings.signal?.aborted === true && !(error instanceof SyncError && error.code === 'ABORTED')) {
      throw new SyncError('ABORTED', 'The comparison was aborted.', { cause: error });
    }
    throw error;
  }
}

async function compare(
  options: CompareOptions,
  settings: CompareSettings,
  started: number,
): Promise<ComparisonResult> {
  await using source = await Side.open(options.sources, settings);
  await using target = await Side.open(options.targets, settings);
  const pass = await runPass(options, settings, source, target);
  const { state, method, passMs } = pass;
  await countIgnored(source.connections, state.ignoredOnSource);
  await countIgnored(target.connections, state.ignoredOnTarget);
  const recheck = await recheckSuspects({
    sources: source.nodes,
    targets: target.nodes,
    state,
    onRound: (round, keys, suspects) =>
      options.onProgress?.({
        phase: 'recheck',
        method,
        keys,
        expectedKeys: suspects,
        bytes: state.tally.bytes,
        round: round + 1,
        suspects,
      }),
  });
  const { tally } = state;
  const { types, keysCompared } = tally.rows();
  return {
    method,
    ...(pass.methodReason === undefined ? {} : { methodReason: pass.methodReason }),
    rounds: 1 + recheck.rounds,
    keysCompared,
    bytesCompared: tally.bytes,
    durationMs: performance.now() - started,
    passMs,
    counts: await countRows(source, target, state),
    types,
    totals: tally.totals,
    differences: recheck.differences,
    unverified: tally.unverified,
    transient: tally.transient,
    expiredInFlight: tally.expiredInFlight,
    notRechecked: tally.notRechecked,
    ignored: { source: state.ignoredOnSource.total, target: state.ignoredOnTarget.total },
    warnings: [...(await source.warnings()), ...(await target.warnings())],
    clockSkewMs: clockSkew([...source.nodes, ...target.nodes]),
    memory: { tableBytes: state.tableBytes, peakRssBytes: process.resourceUsage().maxRSS * 1024 },
  };
}

interface Pass {
  state: PassState;
  method: CompareMethod;
  methodReason?: string;
  passMs: number;
}

/** Reads all keys once: by the method asked for, or by snapshots with commands to fall back to. */
async function runPass(
  options: CompareOptions,
  settings: CompareSettings,
  source: Side,
  target: Side,
): Promise<Pass> {
  const asked = options.method ?? 'auto';
  const choice = asked === 'auto' ? chooseMethod(source.nodes, target.nodes) : { method: asked };
  try {
    return await runMethod(choice, options, settings, [source, target]);
  } catch (error) {
    if (asked !== 'auto' || choice.method !== 'snapshot' || !isRefusal(error)) throw error;
    const fallback = { method: 'commands' as const, reason: error.message };
    return runMethod(fallback, options, settings, [source, target]);
  }
}

/** Whether commands may still work when a snapshot could not be had. */
function isRefusal(error: unknown): error is SyncError {
  return error instanceof SyncError && error.code !== 'ABORTED' && error.code !== 'AUTH';
}

async function runMethod(
  { method, reason }: { method: CompareMethod; reason?: string },
  options: CompareOptions,
  settings: CompareSettings,
  [source, target]: [Side, Side],
): Promise<Pass> {
  const started = performance.now();
  const state = new PassState(settings);
  const onKeys = (): void =>
    options.onProgress?.({
      phase: 'pass',
      method,
      keys: state.tally.keysRead,
      expectedKeys: source.keys,
      bytes: state.tally.bytes,
      round: 1,
      suspects: state.suspects.size,
    });
  const input = { sources: source.nodes, targets: target.nodes, state, onKeys };
  if (method === 'snapshot') await runSnapshotPass(input);
  else await runScanPass(input);
  return {
    state,
    method,
    passMs: performance.now() - started,
    ...(reason === undefined ? {} : { methodReason: reason }),
  };
}

/** One side's nodes, each with the connection its facts were read on. */
class Side implements AsyncDisposable {
  readonly nodes: Node[] = [];
  readonly connections: Connection[] = [];

  static async open(endpoints: readonly Endpoint[], settings: CompareSettings): Promise<Side> {
    const side = new Side();
    try {
      for (const endpoint of endpoints) {
        const connection = await openConnection(endpoint, settings);
        side.connections.push(connection);
        side.nodes.push({ endpoint, facts: await readServerFacts(connection) });
      }
    } catch (error) {
      await side[Symbol.asyncDispose]();
      throw error;
    }
    return side;
  }

  get keys(): number {
    return this.nodes.flatMap((node) => node.facts.keyspace).reduce((sum, row) => sum + row.keys, 0);
  }

  /** What reading did, or could have done, to the servers. */
  async warnings(): Promise<string[]> {
    const warnings: string[] = [];
    for (const [index, { facts }] of this.nodes.entries()) {
      if (facts.role === 'slave')
        warnings.push(`${facts.node} is a replica: it may have been behind its primary`);
      const policy = facts.maxmemoryPolicy;
      if (!facts.hasNoTouch && /lru|lfu/.test(policy)) {
        warnings.push(
          `${facts.node}: maxmemory-policy is ${policy}, and reading a key makes it look recently used`,
        );
      }
      const connection = this.connections[index];
      if (connection === undefined || connection.closed) continue;
      const evicted = (await readServerFacts(connection)).evictedKeys - facts.evictedKeys;
      if (evicted > 0) warnings.push(`${facts.node}: ${evicted} keys were evicted while comparing`);
    }
    return warnings;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.connections.map((connection) => connection.close()));
  }
}

/** Largest difference of two servers' clocks, ms. */
function clockSkew(nodes: readonly Node[]): number {
  const offsets = nodes.map((node) => node.facts.clockOffsetMs);
  return Math.round(Math.max(...offsets) - Math.min(...offsets));
}
