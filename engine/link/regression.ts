/**
 * Has the source gone backwards? It answers FULLRESYNC for many good reasons, and then everything is copied again; but a
 * source that restarted without its data, or with an old file of it, would make us replicate the loss. Pure.
 *
 * Two proofs, either is enough:
 *   history   It names our history as its own or as the one it continues, but ends before the last write that the target has.
 *             (A replica that was behind when it was promoted; a restart from an old file, 7.0 and up; a restored machine.)
 *   keys      It has no key, or hardly any, where the target has many. (A restart without a file.)
 */
import type { ReplicationPosition } from '../psync/handshake.ts';
import type { SourceFacts } from './source-facts.ts';

export interface RegressionQuestion {
  /** Where we are in the source's stream. */
  before: ReplicationPosition;
  /** The last offset up to which the stream held a write (not only pings and heartbeats). */
  lastWrite: bigint;
  source: SourceFacts;
  /** Keys that we keep on the source ourselves, at most (the heartbeat). */
  ownKeys: number;
  /** Keys of the link on its target; null when nobody can tell. */
  targetKeys: number | null;
}

export type Regression =
  | { kind: 'history'; endsAt: bigint; lostBytes: bigint }
  | { kind: 'keys'; isEmpty: boolean; sourceKeys: number; targetKeys: number | null };

/** The source has hardly any of the target's keys when it has less than one in ten. */
const SHARE = 10;
/** Of so few keys nine in ten may well have gone in the ordinary way. */
const KEYS_MIN = 100;

/** Null when nothing speaks against the source. */
export function findRegression(question: RegressionQuestion): Regression | null {
  return findOlderHistory(question) ?? findMissingKeys(question);
}

function findOlderHistory({ before, lastWrite, source }: RegressionQuestion): Regression | null {
  const endsAt = endOfHistory(before.replid, source);
  if (endsAt === undefined || endsAt >= lastWrite) return null;
  return { kind: 'history', endsAt, lostBytes: before.offset - endsAt };
}

/** The last offset of the history `replid` that the source has, or undefined when it does not know that history. */
function endOfHistory(replid: string, source: SourceFacts): bigint | undefined {
  if (source.replid === replid) return source.offset;
  return source.replid2 === replid ? source.secondOffset - 1n : undefined;
}

function findMissingKeys({ source, ownKeys, targetKeys }: RegressionQuestion): Regression | null {
  if (targetKeys === 0) return null;
  const keys = Math.max(0, source.keys - ownKeys);
  const isEmpty = keys === 0;
  const isHardlyAny = targetKeys !== null && targetKeys >= KEYS_MIN && keys * SHARE < targetKeys;
  return isEmpty || isHardlyAny ? { kind: 'keys', isEmpty, sourceKeys: source.keys, targetKeys } : null;
}
