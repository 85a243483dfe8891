/**
 * The checkpoint: where a link is, kept on the target in the same transaction as the data it speaks of.
 *
 *   HSET redis-sync:link:<id>  replid <40 hex>  offset <n>  db <n>  path <origins>
 *
 * So after a crash the target itself says exactly which bytes of the stream are in its data: nothing is lost, nothing
 * applied twice. `db` is the database selected at that offset (the stream's SELECT is state). `path` names the source's
 * replication history and, later, every origin before it; whoever reads the target's stream recognises by this first
 * command a transaction that was applied, not written.
 */
import type { Connection } from '../connect/connection.ts';
import { SyncError } from '../errors.ts';
import { OWN_KEY_PREFIX } from '../link/options.ts';
import { encodeCommand } from '../resp/encode.ts';

export interface Checkpoint {
  replid: string;
  /** Every stream byte up to and including this offset is applied. */
  offset: bigint;
  /** Database the stream had selected there. */
  database: number;
  path: string;
}

/** The key on database 0 of the target. */
export function checkpointKey(link: string): string {
  return `${OWN_KEY_PREFIX}link:${link}`;
}

export function encodeCheckpoint(key: string, checkpoint: Checkpoint): Buffer {
  const { replid, offset, database, path } = checkpoint;
  return encodeCommand(['HSET', key, 'replid', replid, 'offset', offset, 'db', database, 'path', path]);
}

/**
 * The checkpoint of a link, or null when there is none.
 *
 * @throws SyncError PROTOCOL when the key holds something else: then nobody may guess.
 */
export async function readCheckpoint(connection: Connection, link: string): Promise<Checkpoint | null> {
  const key = checkpointKey(link);
  const reply = await connection.call('HMGET', key, 'replid', 'offset', 'db', 'path');
  if (!Array.isArray(reply)) throw unreadable(key);
  const [replid, offset, database, path] = reply.map((value) =>
    Buffer.isBuffer(value) ? value.toString() : null,
  );
  if (replid === null && offset === null) return null;
  if (!replid || !offset || !/^\d+$/.test(offset) || !/^\d+$/.test(database ?? '')) throw unreadable(key);
  return { replid, offset: BigInt(offset), database: Number(database), path: path ?? '' };
}

function unreadable(key: string): SyncError {
  return new SyncError('PROTOCOL', `The checkpoint ${key} on the target is not readable.`, {
    hint: `Somebody changed it. Look at it with HGETALL; deleting it makes the next start a full sync.`,
  });
}
