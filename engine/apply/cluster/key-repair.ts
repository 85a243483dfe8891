/**
 * Makes keys of one slot on the target what they are at the source, although a link goes on writing there:
 *
 *   target   WATCH keys
 *   source   MULTI · DUMP, PTTL of each · TIME · INFO replication · EXEC       what they are at offset p of the source
 *            wait until the link that writes them has applied p
 *   target   different keys: MULTI · RESTORE … REPLACE, or DEL · EXEC          does nothing if a key was touched meanwhile
 *
 * Nobody touched the keys between WATCH and EXEC, and everything up to p was applied: so what they should be is what the
 * source had at p.
 */
import type { Connection } from '../../connect/connection.ts';
import { historyName } from '../../connect/history-name.ts';
import { SyncError } from '../../errors.ts';
import { clusterSlot, tagOfSlot } from '../../keys/cluster-slot.ts';
import { OWN_KEY_PREFIX } from '../../link/options.ts';
import { timeOf } from '../expiry/settlement.ts';
import { parseInfo, textOf } from '../../resp/reply-text.ts';
import { ReplyError, type Reply } from '../../resp/reply.ts';

const ATTEMPTS = 20;
/** TIME and PTTL are of one moment but for the rounding. */
const TOLERANCE_MS = 2;

/** A moment of a source's stream. */
export interface StreamMoment {
  replid: string;
  offset: number;
}

export interface KeyRepair {
  /** All of one slot. */
  keys: readonly Buffer[];
  source: Connection;
  target: Connection;
  /** Resolves when the link that writes these keys has applied this; false when that takes too long. */
  isApplied: (moment: StreamMoment) => Promise<boolean>;
  /** Other keys of the slot that must not be touched meanwhile either. */
  alsoWatch?: readonly string[];
  /** Commands for the same transaction, also sent when nothing differs. */
  besides?: readonly (readonly (string | Buffer)[])[];
  signal: AbortSignal;
}

/** @returns how many keys were written; undefined when it is to be tried another time. @throws SyncError. */
export async function repairKeys(repair: KeyRepair): Promise<number | undefined> {
  const { keys, source, target, isApplied, alsoWatch = [], besides = [], signal } = repair;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    signal.throwIfAborted();
    await target.call('WATCH', ...keys, ...alsoWatch);
    const wanted = await readAt(source, keys);
    if (!(await isApplied(wanted))) break;
    const there = await readState(target, keys);
    const writes = keys.flatMap((key, index) => writesFor(key, wanted.states[index], there[index]));
    if (writes.length + besides.length === 0) {
      await target.call('UNWATCH');
      return 0;
    }
    // Whoever listens to the target sees by the first key that it is ours; Redis drops the MULTI around a single write.
    const own = repairKey(keys[0]);
    const replies = await target.pipeline([
      ['MULTI'],
      ['SET', own, 1],
      ...writes,
      ...besides,
      ['DEL', own],
      ['EXEC'],
    ]);
    const results = replies.at(-1) ?? null;
    if (results === null) continue;
    const refused = Array.isArray(results) ? results.find((each) => each instanceof ReplyError) : results;
    if (refused !== undefined) throw new SyncError('APPLY_REFUSED', textOf(refused), { retryable: true });
    return writes.length;
  }
  await target.tryCall('UNWATCH');
  return undefined;
}

/** Never there outside of a transaction; in the slot of `key`. */
function repairKey(key: Buffer | undefined): string {
  return `${OWN_KEY_PREFIX}repair:{${tagOfSlot(clusterSlot(key ?? Buffer.alloc(0)))}}`;
}

/**
 * Looks at the keys of many slots at once: which of them are right? The moments of the source are next to each other, so that
 * one is waited for.
 *
 * @returns by slot: whether nothing differs. All false when one of the keys was touched meanwhile: then nothing is known.
 * @throws SyncError.
 */
export async function confirmKeys(
  slots: readonly (readonly Buffer[])[],
  { source, target, isApplied }: Pick<KeyRepair, 'source' | 'target' | 'isApplied'>,
): Promise<boolean[]> {
  const filled = slots.filter((keys) => keys.length > 0);
  await target.pipeline(filled.map((keys) => ['WATCH', ...keys]));
  const wanted = await Promise.all(filled.map((keys) => readAt(source, keys)));
  const last = wanted.at(-1);
  const isKnown = last === undefined || (await isApplied(last));
  const there = isKnown ? await Promise.all(filled.map((keys) => readState(target, keys))) : [];
  const isSame = filled.map((keys, at) =>
    keys.every((key, index) => writesFor(key, wanted[at]?.states[index], there[at]?.[index]).length === 0),
  );
  // Answers nil when a watched key was touched.
  const replies = await target.pipeline([['MULTI'], ['EXEC']]);
  const isUntouched = isKnown && Array.isArray(replies.at(-1));
  return slots.map((keys) => keys.length === 0 || (isUntouched && isSame[filled.indexOf(keys)] === true));
}

/** A key's payload and deadline. */
export interface KeyState {
  payload: Buffer | null;
  /** Absolute, ms; -1 none. */
  expireAtMs: number;
}

/** Where in its stream a server is, as its INFO replication says. @throws SyncError PROTOCOL when it does not tell. */
export async function momentOf(
  connection: Connection,
  info: Readonly<Record<string, string>>,
): Promise<StreamMoment> {
  const offset = Number(info['master_repl_offset']);
  if (!Number.isFinite(offset)) throw new SyncError('PROTOCOL', 'The source does not tell its offset.');
  return { replid: await historyName(connection, info), offset };
}

/** All of them at one moment, and which moment of the stream that is. @throws SyncError. */
export async function readAt(
  source: Connection,
  keys: readonly Buffer[],
): Promise<StreamMoment & { states: KeyState[] }> {
  const replies = await source.pipeline([['MULTI'], ...reads(keys), ['INFO', 'replication'], ['EXEC']]);
  const results = replies.at(-1) ?? null;
  if (!Array.isArray(results)) throw new SyncError('CONNECT', textOf(results), { retryable: true });
  const moment = await momentOf(source, parseInfo(results.at(-1) ?? null));
  return { ...moment, states: statesOf(results, keys.length) };
}

/** What they are now. @throws SyncError. */
export async function readState(target: Connection, keys: readonly Buffer[]): Promise<KeyState[]> {
  return statesOf(await target.pipeline(reads(keys)), keys.length);
}

function reads(keys: readonly Buffer[]): (string | Buffer)[][] {
  return [
    ['TIME'],
    ...keys.flatMap((key) => [
      ['DUMP', key],
      ['PTTL', key],
    ]),
  ];
}

function statesOf(replies: readonly Reply[], count: number): KeyState[] {
  const nowMs = timeOf(replies[0]);
  return Array.from({ length: count }, (_, index): KeyState => {
    const payload = replies[1 + index * 2] ?? null;
    const leftMs = replies[2 + index * 2];
    if (payload instanceof ReplyError) throw new SyncError('CONNECT', payload.message, { retryable: true });
    return {
      payload: Buffer.isBuffer(payload) ? payload : null,
      expireAtMs: typeof leftMs === 'number' && leftMs >= 0 ? Math.round(nowMs + leftMs) : -1,
    };
  });
}

/** Commands that make a key what is wanted; none when it is, or when either state is not known. */
export function writesFor(
  key: Buffer,
  wanted: KeyState | undefined,
  there: KeyState | undefined,
): (string | number | Buffer)[][] {
  if (wanted === undefined || there === undefined) return [];
  if (wanted.payload === null) return there.payload === null ? [] : [['DEL', key]];
  const isSame = there.payload?.equals(wanted.payload) === true && sameDeadline(wanted, there);
  if (isSame) return [];
  return [['RESTORE', key, Math.max(0, wanted.expireAtMs), wanted.payload, 'REPLACE', 'ABSTTL']];
}

function sameDeadline({ expireAtMs: left }: KeyState, { expireAtMs: right }: KeyState): boolean {
  if (left === -1 || right === -1) return left === right;
  return Math.abs(left - right) <= TOLERANCE_MS;
}
