/** The values of keys on one side of a circle, read to see whether all sides have the same. */
import { timeOf } from '../../apply/expiry/settlement.ts';
import type { Connection } from '../../connect/connection.ts';
import { describeDifference } from '../../compare/explain/value-detail.ts';
import { printValue } from '../../compare/explain/print.ts';
import { decodeValue } from '../../rdb/decode.ts';
import { sameBody, splitDumpPayload } from '../../rdb/dump-payload.ts';
import { flavorOfVersion } from '../../rdb/format.ts';
import type { Value } from '../../rdb/value.ts';
import { wordReplyError } from '../../connect/reply-errors.ts';
import { parseInfo } from '../../resp/reply-text.ts';
import { ReplyError, type Reply } from '../../resp/reply.ts';

/** Two readings of one deadline, where a server before 7.0 tells only how long it still is. */
const TOLERANCE_MS = 1000;
const VALUE_TEXT_MAX = 200;

export interface KeyState {
  /** As DUMP gives it; undefined when there is no such key. */
  payload: Buffer | undefined;
  /** Ms since the epoch, 0 = none. */
  deadlineMs: number;
  /** As the server keeps it, not reckoned from how long it still is. */
  isExact: boolean;
}

export interface KeyPlace {
  database: number;
  key: Buffer;
}

export interface SideStates {
  /** In the order of the keys. */
  states: KeyState[];
  /** Whatever made them so stands in the server's stream up to here. */
  offset: bigint;
}

/** @throws SyncError CONNECT; PERMISSION, when the account may not read. */
export async function readStates(connection: Connection, places: readonly KeyPlace[]): Promise<SideStates> {
  const replies = await connection.pipeline([
    ['TIME'],
    ...places.flatMap(({ database, key }) => [
      ['SELECT', database],
      ['DUMP', key],
      ['PEXPIRETIME', key],
      ['PTTL', key],
    ]),
    ['SELECT', 0],
    ['INFO', 'replication'],
  ]);
  const nowMs = timeOf(replies[0]);
  const info = replies.at(-1) ?? null;
  if (info instanceof ReplyError) throw wordReplyError(info, connection.endpoint, 'INFO');
  const states = places.map((_, index) => {
    const [, payload, at, left] = replies.slice(1 + 4 * index, 5 + 4 * index);
    return {
      payload: Buffer.isBuffer(payload) ? payload : undefined,
      isExact: !(at instanceof ReplyError),
      deadlineMs: Math.max(0, at instanceof ReplyError ? remaining(left, nowMs) : Number(at ?? 0)),
    };
  });
  return { states, offset: BigInt(parseInfo(info)['master_repl_offset'] ?? 0) };
}

/** @param graceMs deadlines that a link has deferred are later by multiples of this. */
export function isSame(a: KeyState, b: KeyState, graceMs: number): boolean {
  if (a.payload === undefined || b.payload === undefined) return a.payload === b.payload;
  if (!isSameDeadline(a, b, graceMs)) return false;
  return (
    sameBody(a.payload, b.payload) || describeDifference(decode(a.payload), decode(b.payload)) === undefined
  );
}

/** In words, bounded. */
export function printState({ payload, deadlineMs }: KeyState): string {
  if (payload === undefined) return '(no such key)';
  const text = printValue(decode(payload)).replaceAll('\n', ', ');
  const shown = text.length > VALUE_TEXT_MAX ? `${text.slice(0, VALUE_TEXT_MAX)}…` : text;
  return deadlineMs === 0 ? shown : `${shown} until ${new Date(deadlineMs).toISOString()}`;
}

function isSameDeadline(a: KeyState, b: KeyState, graceMs: number): boolean {
  if ((a.deadlineMs === 0) !== (b.deadlineMs === 0)) return false;
  const apartMs = a.deadlineMs - b.deadlineMs;
  const times = Math.round(apartMs / graceMs);
  return Math.abs(apartMs - times * graceMs) <= (a.isExact && b.isExact ? 0 : TOLERANCE_MS);
}

function decode(payload: Buffer): Value {
  const { type, value, version } = splitDumpPayload(payload);
  return decodeValue(type, value, flavorOfVersion(version));
}

function remaining(left: Reply | undefined, nowMs: number): number {
  return typeof left === 'number' && left > 0 ? nowMs + left : 0;
}
