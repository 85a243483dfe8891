/** What is on a target: its databases, its keys page by page, whether any are not ours, and which links it serves. */
import type { Connection } from '../connect/connection.ts';
import { describeEndpoint } from '../connect/endpoint.ts';
import { SyncError } from '../errors.ts';
import { OWN_KEY_PREFIX } from '../link/options.ts';
import { parseInfo, textOf } from '../resp/reply-text.ts';
import { ReplyError, type Reply } from '../resp/reply.ts';
import { checkpointKey, loadingKey, ownerKey } from './checkpoint.ts';
import { reactionTo } from './replies.ts';

const SCAN_COUNT = 1000;
/** Of a scan that answers hardly any of the keys it passes: a millisecond or two for the target. */
const SPARSE_SCAN_COUNT = 5000;
const OWN_PREFIX = Buffer.from(OWN_KEY_PREFIX);

export function isOwnKey(key: Buffer): boolean {
  return key.length >= OWN_PREFIX.length && key.subarray(0, OWN_PREFIX.length).equals(OWN_PREFIX);
}

/** Numbers of the databases that have keys. */
export async function databasesOf(connection: Connection): Promise<number[]> {
  const info = parseInfo(await connection.call('INFO', 'keyspace'));
  return Object.keys(info).flatMap((name) => (/^db\d+$/.test(name) ? [Number(name.slice(2))] : []));
}

/** Every key of every database, page by page, some of them twice. The connection ends on database 0. @throws SyncError. */
export async function* scanKeys(
  connection: Connection,
  match = '*',
): AsyncGenerator<{ database: number; keys: Buffer[] }, void, undefined> {
  for (const database of await databasesOf(connection)) {
    let cursor = '0';
    do {
      const replies = await connection.pipeline([
        ['SELECT', database],
        ['SCAN', cursor, 'MATCH', match, 'COUNT', match === '*' ? SCAN_COUNT : SPARSE_SCAN_COUNT],
        ['SELECT', 0],
      ]);
      const [next = null, keys = null] = Array.isArray(replies[1]) ? replies[1] : [];
      if (!Array.isArray(keys)) throw wordFirstError('SCAN', replies, connection);
      cursor = textOf(next);
      yield { database, keys: keys.filter((key) => Buffer.isBuffer(key)) };
    } while (cursor !== '0');
  }
}

/** No key but the engine's own, and no trace of a link. */
export async function isEmpty(connection: Connection): Promise<boolean> {
  for await (const { keys } of scanKeys(connection)) if (keys.some((key) => !isOwnKey(key))) return false;
  return true;
}

/**
 * One key of each other link that writes to this target: its data is not only ours. A link's mark changes its name while it
 * begins, and a scan may see neither name; who owns the link is there all the time.
 */
export async function otherLinks(connection: Connection, link: string): Promise<string[]> {
  const prefixes = [ownerKey(''), loadingKey(''), checkpointKey('')];
  const found = new Map<string, { key: string; rank: number }>();
  for await (const { database, keys } of scanKeys(connection, `${OWN_KEY_PREFIX}*`)) {
    for (const key of database === 0 ? keys.map(String) : []) {
      const rank = prefixes.findIndex((prefix) => key.startsWith(prefix));
      const name = key.slice(prefixes[rank]?.length);
      if (rank !== -1 && name !== link && rank >= (found.get(name)?.rank ?? 0))
        found.set(name, { key, rank });
    }
  }
  return [...found.values()].map(({ key }) => key);
}

/** Ids of the links whose full sync runs on this target now, ours among them. */
export async function loadingLinks(connection: Connection): Promise<string[]> {
  const prefix = loadingKey('');
  const found = new Set<string>();
  for await (const { database, keys } of scanKeys(connection, `${prefix}*`)) {
    if (database !== 0) continue;
    for (const key of keys) found.add(key.toString().slice(prefix.length));
  }
  return [...found];
}

/** The error among the replies to a command of our own, worded. */
export function wordFirstError(
  command: string,
  replies: readonly Reply[],
  connection: Connection,
): SyncError {
  const error = replies.find((reply) => reply instanceof ReplyError);
  const where = describeEndpoint(connection.endpoint);
  if (error instanceof ReplyError) {
    const { reaction, hint } = reactionTo(error);
    return new SyncError('APPLY_REFUSED', `The target refused ${command}: ${error.message}`, {
      where,
      hint,
      retryable: reaction === 'retry',
      cause: error,
    });
  }
  return new SyncError('PROTOCOL', `The target answered ${command} with something else than expected.`, {
    where,
  });
}
