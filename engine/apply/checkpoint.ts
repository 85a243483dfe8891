/**
 * The checkpoint: where a link is, kept on the target in the same transaction as the data it speaks of.
 *
 *   HSET redis-sync:link:<id>  replid <40 hex>  offset <n>  db <n>  path <origins>  [alone 1]  [deferred <ms>]
 *
 * So after a crash the target itself says exactly which bytes of the stream are in its data: nothing is lost, nothing
 * applied twice. `db` is the database selected at that offset (the stream's SELECT is state). `path` names
 * where the data has been (origin/origin-path.ts; the source's history where nobody asks); whoever reads the target's stream
 * recognises by this first command a transaction that was applied, not written.
 *
 *   (nothing) ─full sync begins─▶ redis-sync:loading:<id> ─done─▶ redis-sync:link:<id> ─full sync begins─▶ loading …
 *
 * Exactly one of the two keys exists while the link has data on the target. With `loading` the data is half of
 * something: nobody may continue from there.
 *
 * redis-sync:fence:<id> is counted up by whoever begins to apply the stream, and watched by every transaction: bytes of
 * an earlier connection or process that arrive late (delayed in a proxy, or in the kernel of a killed process) find the
 * fence moved, and their EXEC does nothing.
 */
import type { Connection } from '../connect/connection.ts';
import { describeEndpoint } from '../connect/endpoint.ts';
import { wordReplyError } from '../connect/reply-errors.ts';
import { SyncError } from '../errors.ts';
import { OWN_KEY_PREFIX } from '../link/options.ts';
import { encodeCommand, encodeCommands } from '../resp/encode.ts';
import { textOf } from '../resp/reply-text.ts';
import { ReplyError, type Reply } from '../resp/reply.ts';
import { reactionTo } from './replies.ts';

export interface Checkpoint {
  replid: string;
  /** Every stream byte up to and including this offset is applied. */
  offset: bigint;
  /** Database the stream had selected there. */
  database: number;
  path: string;
  /** The target was empty when the link's first full sync began: all data on it is the link's. */
  alone: boolean;
  /**
   * Deadlines on the target are later than at the source by multiples of this, ms; 0 = none is any more, undefined = none
   * ever was (expiry/expiry-keeper.ts).
   */
  graceMs?: number | undefined;
}

/** What a target holds of a link. */
export interface LinkRecord {
  /** Where the link can continue; null when there is nothing, or only half of a full sync. */
  checkpoint: Checkpoint | null;
  /** A full sync began and did not end. */
  loading: boolean;
  /** As in the checkpoint; undefined when there is neither checkpoint nor half a full sync. */
  alone: boolean | undefined;
}

export const LINK_KEY_PREFIX = `${OWN_KEY_PREFIX}link:`;
export const LOADING_KEY_PREFIX = `${OWN_KEY_PREFIX}loading:`;

/** The key on database 0 of the target. */
export function checkpointKey(link: string): string {
  return `${LINK_KEY_PREFIX}${link}`;
}

/** The key on database 0 that stands for a full sync that has begun and not ended. */
export function loadingKey(link: string): string {
  return `${LOADING_KEY_PREFIX}${link}`;
}

function fenceKey(link: string): string {
  return `${OWN_KEY_PREFIX}fence:${link}`;
}

/** The key on database 0 that names the process which applies the link (see ownership.ts). */
export function ownerKey(link: string): string {
  return `${OWN_KEY_PREFIX}owner:${link}`;
}

/** The set on database 0 of keys that both sides of a pair have written, and that may differ (link/conflict). */
export function contestKey(link: string): string {
  return `${OWN_KEY_PREFIX}contest:${link}`;
}

/** The set on database 0 of keys that have moved between sources that share the target (groups/stray-keys.ts). */
export function movedKey(link: string): string {
  return `${OWN_KEY_PREFIX}moved:${link}`;
}

/** A key on database 0 that is there within a transaction only: its replicas are waited for (link/replica-count.ts). */
export function waitKey(link: string): string {
  return `${OWN_KEY_PREFIX}wait:${link}`;
}

/** Every key that a link keeps on its target, whether it exists or not. */
export function keysOfLink(link: string): string[] {
  return [
    checkpointKey(link),
    loadingKey(link),
    fenceKey(link),
    ownerKey(link),
    contestKey(link),
    movedKey(link),
  ];
}

/** @param more other fields of the same hash. */
export function encodeCheckpoint(
  key: string,
  checkpoint: Checkpoint,
  more: Readonly<Record<string, string>> = {},
): Buffer {
  const { replid, offset, database, path, alone, graceMs } = checkpoint;
  const fields = ['replid', replid, 'offset', offset, 'db', database, 'path', path];
  if (alone) fields.push('alone', '1');
  if (graceMs !== undefined) fields.push('deferred', graceMs);
  for (const [name, value] of Object.entries(more)) fields.push(name, value);
  return encodeCommand(['HSET', key, ...fields]);
}

/** Marks what follows in the same transaction as applied, with another path than the checkpoint's. Database 0. */
export function encodePath(key: string, path: string): Buffer {
  return encodeCommand(['HSET', key, 'path', path]);
}

/** Commands that turn a checkpoint into the mark of a full sync that has begun, as one transaction; `replies` of them. */
export function encodeLoading(link: string, checkpoint: Checkpoint): { bytes: Buffer; replies: number } {
  const { replid, offset, alone } = checkpoint;
  const commands = [
    ['UNWATCH'],
    ['MULTI'],
    ['DEL', checkpointKey(link), loadingKey(link)],
    ['HSET', loadingKey(link), 'replid', replid, 'offset', offset, 'alone', alone ? 1 : 0],
    ['EXEC'],
  ];
  return { bytes: encodeCommands(commands), replies: commands.length };
}

/** Commands that turn the mark of a full sync into a checkpoint, as one transaction; `replies` of them. */
export function encodeLoaded(link: string, checkpoint: Checkpoint): { bytes: Buffer; replies: number } {
  const commands = [
    encodeCommands([['UNWATCH'], ['MULTI'], ['DEL', checkpointKey(link), loadingKey(link)]]),
    encodeCheckpoint(checkpointKey(link), checkpoint),
    encodeCommand(['EXEC']),
  ];
  return { bytes: Buffer.concat(commands), replies: 5 };
}

/** EXEC, and at once the watch for the transaction that comes behind: two replies. */
export function encodeExecAndWatch(link: string): Buffer {
  return encodeCommands([['EXEC'], ['WATCH', checkpointKey(link), fenceKey(link)]]);
}

/**
 * Moves the fence, watches it and the checkpoint for the next transaction on this connection, and reads the checkpoint,
 * in this order: what an earlier connection still gets done is in what is read.
 *
 * @throws SyncError CONNECT; APPLY_REFUSED, retryable as the table of replies says; PROTOCOL as `readCheckpoint`.
 */
export async function claimCheckpoint(connection: Connection, link: string): Promise<Checkpoint | null> {
  return (await claim(connection, link)).checkpoint;
}

/** As `claimCheckpoint`, with where the fence is now. */
export async function claim(
  connection: Connection,
  link: string,
): Promise<{ checkpoint: Checkpoint | null; fence: number }> {
  const key = checkpointKey(link);
  const replies = await connection.pipeline([
    // A watch that this connection still has from before may have been touched, and would stop the first transaction.
    ['UNWATCH'],
    ['INCR', fenceKey(link)],
    ['WATCH', key, fenceKey(link)],
    ['HMGET', key, ...FIELDS],
  ]);
  for (const reply of replies) {
    if (!(reply instanceof ReplyError) || reply.kind === 'WRONGTYPE') continue;
    const { reaction, hint } = reactionTo(reply);
    throw new SyncError('APPLY_REFUSED', `The target refused to tell where the link is: ${reply.message}`, {
      where: describeEndpoint(connection.endpoint),
      hint,
      retryable: reaction === 'retry',
      cause: reply,
    });
  }
  const fence = replies[1];
  return {
    checkpoint: parseCheckpoint(key, replies[3] ?? null),
    fence: typeof fence === 'number' ? fence : NaN,
  };
}

/**
 * The checkpoint of a link, or null when there is none.
 *
 * @throws SyncError PROTOCOL when the key holds something else: then nobody may guess.
 */
export async function readCheckpoint(connection: Connection, link: string): Promise<Checkpoint | null> {
  return (await readLinkRecord(connection, link)).checkpoint;
}

/** Everything a target holds of a link. @throws SyncError as `readCheckpoint`. */
export async function readLinkRecord(connection: Connection, link: string): Promise<LinkRecord> {
  const key = checkpointKey(link);
  // A full sync that broke off leaves its connection on the database of its last key.
  const [selected = null, found = null, loading = null] = await connection.pipeline([
    ['SELECT', 0],
    ['HMGET', key, ...FIELDS],
    ['HGET', loadingKey(link), 'alone'],
  ]);
  for (const reply of [selected, found, loading]) {
    if (reply instanceof ReplyError && reply.kind !== 'WRONGTYPE')
      throw wordReplyError(reply, connection.endpoint, 'HMGET');
  }
  const checkpoint = parseCheckpoint(key, found);
  if (loading instanceof ReplyError) throw unreadable(loadingKey(link));
  if (loading === null) return { checkpoint, loading: false, alone: checkpoint?.alone };
  return { checkpoint: null, loading: true, alone: textOf(loading) === '1' };
}

const FIELDS = ['replid', 'offset', 'db', 'path', 'alone', 'deferred'];

function parseCheckpoint(key: string, reply: Reply): Checkpoint | null {
  if (!Array.isArray(reply)) throw unreadable(key);
  const [replid, offset, database, path, alone, deferred] = reply.map((value) =>
    Buffer.isBuffer(value) ? value.toString() : null,
  );
  if (replid === null && offset === null) return null;
  const numbers = [offset, database, deferred ?? '0'];
  if (!replid || !offset || numbers.some((each) => !/^\d+$/.test(each ?? ''))) throw unreadable(key);
  return {
    replid,
    offset: BigInt(offset),
    database: Number(database),
    path: path ?? '',
    alone: alone === '1',
    ...(deferred === null || deferred === undefined ? {} : { graceMs: Number(deferred) }),
  };
}

function unreadable(key: string): SyncError {
  return new SyncError('PROTOCOL', `The checkpoint ${key} on the target is not readable.`, {
    hint: `Somebody changed it. Look at it with HGETALL; deleting it makes the next start a full sync.`,
  });
}
