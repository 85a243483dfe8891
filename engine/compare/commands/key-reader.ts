/** Reads DUMP and expiry of a batch of keys from one node, in one write. */
import { encodeCommand } from '../../resp/encode.ts';
import type { BatchSocket } from './batch-socket.ts';
import { type CommandBuffer, commandHead } from './command-buffer.ts';
import type { BatchKeys, SideReplies } from './pair-batch.ts';
import type { ReplyBatch } from './reply-batch.ts';

const DUMP = commandHead(2, 'DUMP');
const EXPIRE_TIME = commandHead(2, 'PEXPIRETIME');
const REMAINING = commandHead(2, 'PTTL');
const TIME = encodeCommand(['TIME']);
/** A TIME reply is an array of two bulks. */
const TIME_ITEMS = 3;

/** The commands that `readKeys` sends: built once, sent to every node whose expiry is read the same way. */
export function encodeReads(out: CommandBuffer, keys: BatchKeys, absolute: boolean): Buffer {
  const expiry = absolute ? EXPIRE_TIME : REMAINING;
  for (let index = 0; index < keys.count; index++) {
    const item = keys.items[index]!;
    out.keyCommand(DUMP, keys.scan, item);
    out.keyCommand(expiry, keys.scan, item);
  }
  const reads = out.take();
  return absolute ? reads : Buffer.concat([TIME, reads, TIME]);
}

/** Sends `encodeReads` and says where the replies are. A remaining time is bracketed by the server's clock. */
export async function readKeys(
  socket: BatchSocket,
  reads: Buffer,
  count: number,
  absolute: boolean,
): Promise<SideReplies> {
  const batch = await socket.send(reads, 2 * count + (absolute ? 0 : 2));
  if (absolute) return { batch, first: 0, clockMs: 0, uncertaintyMs: 0 };
  const before = timeAt(batch, 0);
  const after = timeAt(batch, TIME_ITEMS + 2 * count);
  return {
    batch,
    first: TIME_ITEMS,
    clockMs: (before + after) / 2,
    uncertaintyMs: (after - before) / 2 + 1,
  };
}

function timeAt(batch: ReplyBatch, item: number): number {
  return Number(batch.text(item + 1)) * 1000 + Number(batch.text(item + 2)) / 1000;
}
