/**
 * Where each slot of a cluster target is in the source's stream, kept in the slot itself and written in the same transaction
 * as the slot's data:
 *
 *   HSET redis-sync:link:<id>:{tag of the slot}  replid … offset … db 0 path … sync <full sync it belongs to>
 *
 * Every slot gets one at the end of the full sync. So a slot knows what is in it wherever it moves, and after whichever failover. The link's own checkpoint (`…link:{<id>}`)
 * says up to where every slot is complete; it is written behind the data, and never ahead of it: a restart begins there, and
 * leaves out of each slot what the slot has already.
 */
import { SyncError } from '../../errors.ts';
import { SLOTS, tagOfSlot } from '../../keys/cluster-slot.ts';
import { encodeCommands } from '../../resp/encode.ts';
import { textOf } from '../../resp/reply-text.ts';
import { ReplyError } from '../../resp/reply.ts';
import { wordReplyError } from '../../connect/reply-errors.ts';
import type { Connection } from '../../connect/connection.ts';
import { describeEndpoint } from '../../connect/endpoint.ts';
import { checkpointKey, encodeCheckpoint, loadingKey, type Checkpoint } from '../checkpoint.ts';
import { wordRefusal } from '../refusals.ts';
import { isMisplaced } from '../replies.ts';

/** The name by which the link's own keys share a slot. */
export function taggedLink(link: string): string {
  return `{${link}}`;
}

/** The key of a slot's checkpoint. */
export function slotCheckpointKey(link: string, slot: number): string {
  return slotTaggedKey(checkpointKey(link), slot);
}

/** A key of the link's own, made to stand in this slot. */
export function slotTaggedKey(key: string, slot: number): string {
  return `${key}:{${tagOfSlot(slot)}}`;
}

/** What names the full sync that a checkpoint belongs to: offsets of another one say nothing. */
export function syncName({ replid, offset }: Pick<Checkpoint, 'replid' | 'offset'>): string {
  return `${replid}:${offset}`;
}

/** What stands in every slot's checkpoint besides the offset. */
export interface SlotMark {
  replid: string;
  path: string;
  sync: string;
}

/** Writes slots' checkpoints, quickly. */
export class SlotMarkEncoder {
  readonly #prefix: string;
  #tail = '';
  readonly #keys: (string | undefined)[] = [];

  constructor(link: string) {
    this.#prefix = `${checkpointKey(link)}:`;
  }

  set mark({ replid, path, sync }: SlotMark) {
    this.#tail = words(['replid', replid, 'db', '0', 'path', path, 'sync', sync]);
  }

  /** `HSET key offset … replid …`, as latin1 text. */
  encode(slot: number, offset: number): string {
    const key = (this.#keys[slot] ??= words(['HSET', `${this.#prefix}{${tagOfSlot(slot)}}`]));
    return `*12\r\n${key}${words(['offset', String(offset)])}${this.#tail}`;
  }
}

function words(texts: readonly string[]): string {
  return texts.map((text) => `$${Buffer.byteLength(text)}\r\n${text}\r\n`).join('');
}

/**
 * Commands that turn the mark of a full sync into the link's own checkpoint, as one transaction; `replies` of them.
 *
 * @param more name of the full sync, and the slots that it filled.
 */
export function encodeSlotsLoaded(
  record: string,
  checkpoint: Checkpoint,
  more: { sync: string; slots: string },
): { bytes: Buffer; replies: number } {
  const key = checkpointKey(record);
  const bytes = Buffer.concat([
    encodeCommands([['MULTI'], ['DEL', key, loadingKey(record)]]),
    encodeCheckpoint(key, checkpoint, more),
    encodeCommands([['EXEC']]),
  ]);
  return { bytes, replies: 4 };
}

/** How far each slot is; -1 where it has no checkpoint of this full sync. */
export type SlotOffsets = Float64Array;

export function noOffsets(): SlotOffsets {
  return new Float64Array(SLOTS).fill(-1);
}

const AT_ONCE = 4096;

/**
 * Writes the checkpoints of these slots, as of the end of a full sync, to the node that has them: from then on a slot without
 * one has lost its data.
 *
 * @returns the slots that are elsewhere, or on the move.
 * @throws SyncError CONNECT, APPLY_REFUSED.
 */
export async function writeSlotOffsets(
  connection: Connection,
  marks: SlotMarkEncoder,
  slots: readonly number[],
  offset: number,
): Promise<number[]> {
  const elsewhere: number[] = [];
  for (let from = 0; from < slots.length; from += AT_ONCE) {
    const some = slots.slice(from, from + AT_ONCE);
    const bytes = Buffer.from(some.map((slot) => marks.encode(slot, offset)).join(''), 'latin1');
    const replies = await connection.pipelineRaw(bytes, some.length);
    for (const [index, reply] of replies.entries()) {
      if (!(reply instanceof ReplyError)) continue;
      if (!isMisplaced(reply)) throw wordRefusal(reply, undefined, describeEndpoint(connection.endpoint));
      elsewhere.push(some[index] ?? 0);
    }
  }
  return elsewhere;
}

/**
 * Reads the checkpoints of these slots from the node that has them. Slots that are elsewhere, or on the move, are left as they
 * are in `into`.
 *
 * @throws SyncError CONNECT, PROTOCOL.
 */
export async function readSlotOffsets(
  connection: Connection,
  link: string,
  sync: string,
  slots: readonly number[],
  into: SlotOffsets,
): Promise<void> {
  for (let from = 0; from < slots.length; from += AT_ONCE) {
    const some = slots.slice(from, from + AT_ONCE);
    const commands = some.map((slot) => ['HMGET', slotCheckpointKey(link, slot), 'offset', 'sync']);
    const replies = await connection.pipelineRaw(encodeCommands(commands), some.length);
    for (const [index, reply] of replies.entries()) {
      const slot = some[index] ?? 0;
      if (reply instanceof ReplyError) {
        if (/^(MOVED|ASK|TRYAGAIN|CLUSTERDOWN)/.test(reply.message)) continue;
        throw wordReplyError(reply, connection.endpoint, 'HMGET');
      }
      const [offset, of] = Array.isArray(reply) ? reply.map(textOf) : [];
      into[slot] = of === sync ? parseOffset(offset ?? '', link, slot) : -1;
    }
  }
}

function parseOffset(text: string, link: string, slot: number): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new SyncError(
    'PROTOCOL',
    `The checkpoint ${slotCheckpointKey(link, slot)} on the target is not readable.`,
    {
      hint: 'Somebody changed it. Start over with an empty target.',
    },
  );
}
