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

/** The rows of the count table: sums over the nodes of each side, without the keys the pass left out. */
export function countRows(sources: readonly Node[], targets: readonly Node[], state: PassState): CountRow[] {
  const [left, right] = [sumByDatabase(sources), sumByDatabase(targets)];
  const databases = [...new Set([...left.keys(), ...right.keys()])].toSorted((a, b) => a - b);
  return databases.map((database) => {
    const [source, target] = [left.get(database), right.get(database)];
    const [ownSource, ownTarget] = [state.ignoredOnSource.of(database), state.ignoredOnTarget.of(database)];
    return {
      database,
      sourceKeys: (source?.keys ?? 0) - ownSource.keys,
      targetKeys: (target?.keys ?? 0) - ownTarget.keys,
      sourceExpires: (source?.expires ?? 0) - ownSource.expires,
      targetExpires: (target?.expires ?? 0) - ownTarget.expires,
    };
  });
}

function sumByDatabase(nodes: readonly Node[]): Map<number, DatabaseCount> {
  const sums = new Map<number, DatabaseCount>();
  for (const { database, keys, expires } of nodes.flatMap((node) => node.facts.keyspace)) {
    const sum = sums.get(database);
    sums.set(database, { database, keys: (sum?.keys ?? 0) + keys, expires: (sum?.expires ?? 0) + expires });
  }
  return sums;
}
