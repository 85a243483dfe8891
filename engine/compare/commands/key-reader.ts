/** Reads a batch of keys from one node in one write: DUMP, expiry, or both. */
import { encodeCommand } from '../../resp/encode.ts';
import type { BatchSocket } from './batch-socket.ts';
import { type CommandBuffer, commandHead } from './command-buffer.ts';
import type { ReplyBatch } from './reply-batch.ts';

/** The keys a batch is about: items of the SCAN reply they came in. */
export interface BatchKeys {
  database: number;
  scan: ReplyBatch;
  items: Int32Array;
  count: number;
}

/** What is asked of each key. Expiry is left out where no key has one. */
export type Reads = 'value' | 'expiry' | 'value-and-expiry';

/** One side's replies. */
export interface SideReplies {
  batch: ReplyBatch;
  /** Item of the first key's first reply, and items per key. */
  first: number;
  perKey: number;
  /** Added to a non-negative expiry: 0 when it is absolute, the server's clock when it is a remaining time. */
  clockMs: number;
  /** By how much a time may be wrong because the clock was read around it. */
  uncertaintyMs: number;
}

const DUMP = commandHead(2, 'DUMP');
const EXPIRE_TIME = commandHead(2, 'PEXPIRETIME');
const REMAINING = commandHead(2, 'PTTL');
const TIME = encodeCommand(['TIME']);
/** A TIME reply is an array of two bulks. */
const TIME_ITEMS = 3;

export function repliesPerKey(reads: Reads): number {
  return reads === 'value-and-expiry' ? 2 : 1;
}

/** The commands that `readKeys` sends: built once, sent to every node whose expiry is read the same way. */
export function encodeReads(out: CommandBuffer, keys: BatchKeys, reads: Reads, absolute: boolean): Buffer {
  const expiry = absolute ? EXPIRE_TIME : REMAINING;
  for (let index = 0; index < keys.count; index++) {
    const item = keys.items[index]!;
    if (reads !== 'expiry') out.keyCommand(DUMP, keys.scan, item);
    if (reads !== 'value') out.keyCommand(expiry, keys.scan, item);
  }
  const encoded = out.take();
  return absolute ? encoded : Buffer.concat([TIME, encoded, TIME]);
}

/** Sends what `encodeReads` built and says where the replies are. A remaining time is bracketed by the server's clock. */
export async function readKeys(
  socket: BatchSocket,
  encoded: Buffer,
  replies: { count: number; perKey: number },
  absolute: boolean,
): Promise<SideReplies> {
  const { perKey } = replies;
  const items = replies.count * perKey;
  const batch = await socket.send(encoded, items + (absolute ? 0 : 2));
  if (absolute) return { batch, first: 0, perKey, clockMs: 0, uncertaintyMs: 0 };
  const before = timeAt(batch, 0);
  const after = timeAt(batch, TIME_ITEMS + items);
  return {
    batch,
    first: TIME_ITEMS,
    perKey,
    clockMs: (before + after) / 2,
    uncertaintyMs: (after - before) / 2 + 1,
  };
}

function timeAt(batch: ReplyBatch, item: number): number {
  return Number(batch.text(item + 1)) * 1000 + Number(batch.text(item + 2)) / 1000;
}
