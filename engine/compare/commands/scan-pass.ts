/**
 * The pass over all keys with commands alone, for servers that do not hand out snapshots: each source database against
 * the targets (ForwardPass), then the targets for keys that no source has.
 *
 * Two questions are not asked where the answer is known. Expiry, in databases where no key of either side has one; should
 * one get one meanwhile, an extra pass reads expiry alone. And the keys of a target that holds exactly as many keys as
 * were found equal, while its own counters say that nothing was written, expired or evicted: there is no room for more.
 */
import type { Connection } from '../../connect/connection.ts';
import { SyncError } from '../../errors.ts';
import { KeySet, NODES_MAX } from '../key-set.ts';
import { openConnection } from '../open-connection.ts';
import { inLanes } from '../lanes.ts';
import type { PassState } from '../pass-state.ts';
import { readServerFacts, type Node, type ServerFacts } from '../server-facts.ts';
import { ForwardPass } from './forward-pass.ts';
import type { Reads } from './key-reader.ts';
import { scanKeys } from './scan-keys.ts';

export interface ScanPassInput {
  sources: readonly Node[];
  targets: readonly Node[];
  state: PassState;
  onKeys: (keys: number) => void;
}

/** Nodes of a side read at once. */
const NODES_AT_ONCE = 4;

/** @throws SyncError CONNECT, PERMISSION, ABORTED. */
export async function runScanPass(input: ScanPassInput): Promise<void> {
  const { sources, targets, state } = input;
  if (Math.max(sources.length, targets.length) > NODES_MAX) {
    throw new SyncError('USAGE', `At most ${NODES_MAX} nodes of a side can be compared at once.`);
  }
  const seen = new KeySet(countKeys(sources));
  const timeless = databasesWithoutExpiry([...sources, ...targets]);
  await forward(input, seen, databasesOf(sources), (database) =>
    timeless.has(database) ? 'value' : 'value-and-expiry',
  );
  state.tableBytes = seen.bytes;
  const after = await factsNow([...sources, ...targets], state);
  const stillTimeless = databasesWithoutExpiry(after);
  const changed = new Set([...timeless].filter((database) => !stillTimeless.has(database)));
  if (changed.size > 0) await forward(input, new KeySet(countKeys(sources)), changed, () => 'expiry');
  await findExtraKeys(input, seen, after.slice(sources.length));
}

/** Source nodes a few at a time, each database after database. */
async function forward(
  input: ScanPassInput,
  seen: KeySet,
  databases: ReadonlySet<number>,
  readsOf: (database: number) => Reads,
): Promise<void> {
  const { sources, targets, state, onKeys } = input;
  const numbered = sources.map((source, index) => ({ source, index }));
  await inLanes(numbered, NODES_AT_ONCE, state.settings.signal, async ({ source, index }, signal) => {
    for (const { database } of source.facts.keyspace) {
      if (!databases.has(database)) continue;
      const reads = readsOf(database);
      await using pass = await ForwardPass.open({
        source,
        index,
        targets,
        state,
        seen,
        reads,
        onKeys,
        signal,
      });
      await pass.run(database);
    }
  });
}

/** Keys of the targets that are not in `seen`. `after`: the targets' facts of now. */
async function findExtraKeys(input: ScanPassInput, seen: KeySet, after: readonly Node[]): Promise<void> {
  const { targets, state } = input;
  const quiet = targets.every((target, index) => sameHistory(target.facts, after[index]?.facts));
  const settled = quiet && state.suspects.size === 0 && state.big.size === 0;
  const known = settled ? await ignoredKeysThere(input) : [];
  for (const database of databasesOf(after)) {
    const there = countKeys(after, database);
    const mine = known.filter((key) => key.database === database);
    if (settled && there === state.tally.equalKeys(database) + mine.length) {
      for (const { key } of mine) state.ignoredOnTarget.unread.add(database, key, 0, key.length);
      continue;
    }
    await inLanes(targets, NODES_AT_ONCE, state.settings.signal, (target, signal) =>
      scanForExtraKeys(target, database, { seen, state, signal }),
    );
  }
}

async function scanForExtraKeys(
  node: Node,
  database: number,
  { seen, state, signal }: { seen: KeySet; state: PassState; signal: AbortSignal },
): Promise<void> {
  const extra = { class: 'EXTRA_KEY', type: 'unknown' } as const;
  await scanKeys(node.endpoint, database, { ...state.settings, signal }, (bytes, start, end) => {
    if (state.isIgnored(bytes, start, end)) state.ignoredOnTarget.unread.add(database, bytes, start, end);
    else if (!seen.has(database, bytes, start, end)) state.suspect(database, bytes, start, end, extra);
  });
}

/** Those of the keys named as ignored (the engine's checkpoints) that the targets have. */
async function ignoredKeysThere({
  targets,
  state,
}: ScanPassInput): Promise<{ database: number; key: Buffer }[]> {
  const names = state.settings.ignoreKeys;
  if (names.length === 0) return [];
  const there = await eachConnection(targets, state, (connection) =>
    connection.pipeline(names.map((name) => ['EXISTS', name])),
  );
  return names
    .filter((_, index) => there.some((replies) => replies[index] === 1))
    .map((key) => ({ database: 0, key }));
}

function sameHistory(before: ServerFacts, after: ServerFacts | undefined): boolean {
  return before.history !== undefined && before.history === after?.history;
}

async function factsNow(nodes: readonly Node[], state: PassState): Promise<Node[]> {
  const facts = await eachConnection(nodes, state, readServerFacts);
  return nodes.map(({ endpoint, facts: before }, index) => ({ endpoint, facts: facts[index] ?? before }));
}

/** Connects to node after node. */
async function eachConnection<T>(
  nodes: readonly Node[],
  { settings }: PassState,
  use: (connection: Connection) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  for (const { endpoint } of nodes) {
    await using connection = await openConnection(endpoint, settings);
    results.push(await use(connection));
  }
  return results;
}

function databasesOf(nodes: readonly Node[]): Set<number> {
  return new Set(nodes.flatMap((node) => node.facts.keyspace.map((row) => row.database)));
}

function databasesWithoutExpiry(nodes: readonly Node[]): Set<number> {
  const rows = nodes.flatMap((node) => node.facts.keyspace);
  const withExpiry = new Set(rows.filter((row) => row.expires > 0).map((row) => row.database));
  return new Set(rows.map((row) => row.database).filter((database) => !withExpiry.has(database)));
}

function countKeys(nodes: readonly Node[], database?: number): number {
  return nodes
    .flatMap((node) => node.facts.keyspace)
    .filter((row) => database === undefined || row.database === database)
    .reduce((total, row) => total + row.keys, 0);
}
