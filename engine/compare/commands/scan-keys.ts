/** Visits every key of one database of one server, key bytes only. */
import type { Endpoint } from '../../connect/endpoint.ts';
import { COMPARE_CLIENT_NAME, type CompareSettings } from '../options.ts';
import { BatchSocket, type BatchSocketOptions } from './batch-socket.ts';
import { CommandBuffer } from './command-buffer.ts';
import { ITEM, type ReplyBatch } from './reply-batch.ts';

/** A SCAN reply is flattened to: array of 2, cursor, array of keys, the keys. */
export const FIRST_KEY = 3;

/** Number of keys in a flattened SCAN reply. */
export function keysIn(scan: ReplyBatch): number {
  return scan.number[2]!;
}

/** The cursor of a SCAN reply. @throws SyncError when SCAN was refused. */
export function scanCursor(reply: ReplyBatch, socket: BatchSocket): string {
  if (reply.kind[0] === ITEM.ERROR) throw socket.refused(reply, 0, 'SCAN');
  return reply.text(1);
}

export function socketOptions(settings: CompareSettings): BatchSocketOptions {
  return {
    connectTimeoutMs: settings.connectTimeoutMs,
    idleTimeoutMs: settings.idleTimeoutMs,
    name: COMPARE_CLIENT_NAME,
    ...(settings.signal ? { signal: settings.signal } : {}),
  };
}

/**
 * False when the server has no such database (`databases` in its configuration, or cluster mode, which has one only).
 *
 * @throws SyncError for any other refusal.
 */
export async function selectDatabase(socket: BatchSocket, database: number): Promise<boolean> {
  if (database === 0) return true;
  const refused = await socket.tryCall('SELECT', database);
  if (refused === undefined) return true;
  if (NO_SUCH_DATABASE.test(refused.message)) return false;
  throw refused;
}

/** What SELECT answers then: db.c of Redis. */
export const NO_SUCH_DATABASE = /out of range|not allowed in cluster mode/i;

/**
 * Calls `visit` with the position of each key (SCAN may repeat some). Keys that are there all the time are visited.
 *
 * @throws SyncError CONNECT, PERMISSION, ABORTED.
 */
export async function scanKeys(
  endpoint: Endpoint,
  database: number,
  settings: CompareSettings,
  visit: (bytes: Buffer, start: number, end: number) => void,
): Promise<void> {
  await using socket = await BatchSocket.open(endpoint, socketOptions(settings));
  if (!(await selectDatabase(socket, database))) return;
  const out = new CommandBuffer();
  const scan = (cursor: string): Promise<ReplyBatch> => {
    out.command('SCAN', cursor, 'COUNT', settings.scanCount);
    return socket.send(out.take(), 1);
  };
  let pending = scan('0');
  for (;;) {
    const reply = await pending;
    const cursor = scanCursor(reply, socket);
    // Ask for the next keys before looking at these.
    if (cursor !== '0') pending = scan(cursor);
    const last = FIRST_KEY + keysIn(reply);
    for (let item = FIRST_KEY; item < last; item++) visit(reply.bytes, reply.start[item]!, reply.end[item]!);
    socket.release(reply);
    if (cursor === '0') return;
  }
}
