/**
 * Key counts per database, from INFO keyspace. To be read before anything is scanned: SCAN and EXISTS make a server
 * delete what has expired, so that counting afterwards counts something else.
 */
import type { Connection } from '../connect/connection.ts';
import type { CountRow } from './difference.ts';
import { IgnoredKeys, type PassState } from './pass-state.ts';
import { textOf } from '../resp/reply-text.ts';
import { readServerFacts, type DatabaseCount, type Node } from './server-facts.ts';

const GROUP_KEYS = 256;
const RECOUNTS_MAX = 2;
/** What PTTL says of a key that does not expire; -2: there is no such key. */
const NO_EXPIRY = -1;

/**
 * Keys and keys with expiry of every database of one server, without those whose name begins with one of
 * `ignorePrefixes`. Those are counted exactly, by a SCAN that visits the whole keyspace after the counts were read.
 *
 * @throws SyncError CONNECT, PERMISSION.
 */
export async function readCounts(
  connection: Connection,
  ignorePrefixes: readonly string[],
): Promise<DatabaseCount[]> {
  const { keyspace } = await readServerFacts(connection);
  const ignored = new IgnoredKeys(Infinity);
  for (const { database } of keyspace) {
    if (database !== 0) await connection.call('SELECT', database);
    for (const prefix of ignorePrefixes) await collect(connection, database, prefix, ignored);
  }
  await countIgnored([connection], ignored);
  return keyspace.map(({ database, keys, expires }) => {
    const own = ignored.of(database);
    return { database, keys: keys - own.keys, expires: expires - own.expires };
  });
}

/** The server filters before it looks at a key, so nothing but the matching keys is touched. */
async function collect(
  connection: Connection,
  database: number,
  prefix: string,
  ignored: IgnoredKeys,
): Promise<void> {
  const pattern = `${prefix.replaceAll(/[\\*?[\]]/g, '\\$&')}*`;
  const seen = new Set<string>();
  let cursor = '0';
  do {
    const reply = await connection.call('SCAN', cursor, 'MATCH', pattern, 'COUNT', 1000);
    if (!Array.isArray(reply) || !Array.isArray(reply[1])) return;
    cursor = textOf(reply[0]);
    for (const key of reply[1]) {
      if (!Buffer.isBuffer(key) || seen.has(key.toString('latin1'))) continue;
      seen.add(key.toString('latin1'));
      ignored.unread.add(database, key, 0, key.length);
    }
  } while (cursor !== '0');
}

/**
 * Finds out which of the ignored keys have an expiry, and counts them. The keys may be on any of the nodes; one that is on none
 * any more has expired since it was listed, so it had one when the server counted.
 */
export async function countIgnored(connections: readonly Connection[], ignored: IgnoredKeys): Promise<void> {
  for (const group of ignored.unread.groups(GROUP_KEYS)) {
    const database = group[0]?.database ?? 0;
    const lasting = new Set<number>();
    for (const connection of connections) {
      const select = database === 0 && connections.length > 1 ? [] : [['SELECT', database]];
      const replies = await connection.pipeline([...select, ...group.map(({ key }) => ['PTTL', key])]);
      for (const [index, reply] of replies.slice(select.length).entries())
        if (reply === NO_EXPIRY) lasting.add(index);
    }
    ignored.count(database, group.length, group.length - lasting.size);
  }
}

/** The servers of one side, with a connection to each. */
export interface CountedSide {
  nodes: readonly Node[];
  connections: readonly Connection[];
}

/**
 * The rows of the count table: sums over the nodes of each side, without the keys the pass left out.
 *
 * Those were listed after the servers had counted, and a running link may have removed one of its own meanwhile: where all
 * keys are equal and the counts are not, the servers count again.
 *
 * @throws SyncError CONNECT, PERMISSION.
 */
export async function countRows(
  source: CountedSide,
  target: CountedSide,
  state: PassState,
): Promise<CountRow[]> {
  let rows = joinCounts(
    countedBefore(source, state.ignoredOnSource),
    countedBefore(target, state.ignoredOnTarget),
  );
  const { MISSING_KEY, EXTRA_KEY } = state.tally.totals;
  if (MISSING_KEY + EXTRA_KEY > 0) return rows;
  for (let turn = 0; turn < RECOUNTS_MAX && !rows.every(isAgreed); turn++)
    rows = joinCounts(await countNow(source, state), await countNow(target, state));
  return rows;
}

/** Keys that expire come off at another moment on each side: only the others have to agree. */
function isAgreed({ sourceKeys, sourceExpires, targetKeys, targetExpires }: CountRow): boolean {
  return sourceKeys - sourceExpires === targetKeys - targetExpires;
}

function countedBefore({ nodes }: CountedSide, ignored: IgnoredKeys): DatabaseCount[] {
  return sumByDatabase(nodes.flatMap(({ facts }) => facts.keyspace)).map((count) => {
    const own = ignored.of(count.database);
    return { ...count, keys: count.keys - own.keys, expires: count.expires - own.expires };
  });
}

async function countNow(
  { nodes, connections }: CountedSide,
  { settings }: PassState,
): Promise<DatabaseCount[]> {
  const prefixes = settings.ignorePrefixes.map((prefix) => prefix.toString());
  const counts = [];
  for (const [index, connection] of connections.entries()) {
    if (nodes[index]?.facts.cluster === false) await connection.call('SELECT', 0);
    counts.push(...(await readCounts(connection, prefixes)));
  }
  return sumByDatabase(counts);
}

function joinCounts(source: readonly DatabaseCount[], target: readonly DatabaseCount[]): CountRow[] {
  const [left, right] = [source, target].map((side) => new Map(side.map((count) => [count.database, count])));
  const databases = [...new Set([...source, ...target].map(({ database }) => database))];
  return databases
    .toSorted((a, b) => a - b)
    .map((database) => ({
      database,
      sourceKeys: left?.get(database)?.keys ?? 0,
      targetKeys: right?.get(database)?.keys ?? 0,
      sourceExpires: left?.get(database)?.expires ?? 0,
      targetExpires: right?.get(database)?.expires ?? 0,
    }));
}

function sumByDatabase(counts: readonly DatabaseCount[]): DatabaseCount[] {
  const sums = new Map<number, DatabaseCount>();
  for (const { database, keys, expires } of counts) {
    const sum = sums.get(database);
    sums.set(database, { database, keys: (sum?.keys ?? 0) + keys, expires: (sum?.expires ?? 0) + expires });
  }
  return [...sums.values()];
}
