/** What the states of one key on both sides mean. Pure. */
import { decodeValue } from '../../rdb/decode.ts';
import { sameBody, splitDumpPayload } from '../../rdb/dump-payload.ts';
import { flavorOfVersion } from '../../rdb/format.ts';
import type { Value } from '../../rdb/value.ts';
import { asError } from '../../errors.ts';
import type { DifferenceClass } from '../difference.ts';
import { digestValue } from '../digest/value-digest.ts';
import type { KeyState, PresentKey } from './key-state.ts';

export type KeyVerdict =
  | { kind: 'equal'; type: string }
  /** On neither side. */
  | { kind: 'gone' }
  /** On one side only, and there it expires within the tolerance. */
  | { kind: 'expired-in-flight' }
  | { kind: 'different'; type: string; classes: DifferenceClass[] }
  | { kind: 'unverified'; reason: string };

/** Whether the values are equal, when they cannot be told from payloads in hand. */
export type PagedVerdict = { equal: boolean } | { reason: string };

/** @param paged the result of reading the value in pages; only looked at when a side has no payload in hand. */
export function judgeKey(
  source: KeyState,
  target: KeyState,
  toleranceMs: number,
  paged?: PagedVerdict,
): KeyVerdict {
  if (source.kind === 'unreadable') return { kind: 'unverified', reason: source.reason };
  if (target.kind === 'unreadable') return { kind: 'unverified', reason: target.reason };
  if (source.kind === 'absent' && target.kind === 'absent') return { kind: 'gone' };
  if (source.kind === 'absent') return judgeSingle(target, 'EXTRA_KEY', source.nowMs, toleranceMs);
  if (target.kind === 'absent') return judgeSingle(source, 'MISSING_KEY', target.nowMs, toleranceMs);
  if (source.type !== target.type) {
    return {
      kind: 'different',
      type: source.type,
      classes: ['TYPE_MISMATCH', ...expiryClass(source, target, toleranceMs)],
    };
  }
  const value = sameValue(source, target, paged);
  if ('reason' in value) return { kind: 'unverified', reason: value.reason };
  const classes: DifferenceClass[] = value.equal ? [] : ['VALUE_MISMATCH'];
  classes.push(...expiryClass(source, target, toleranceMs));
  return classes.length === 0
    ? { kind: 'equal', type: source.type }
    : { kind: 'different', type: source.type, classes };
}

function judgeSingle(
  state: KeyState,
  name: 'MISSING_KEY' | 'EXTRA_KEY',
  otherNowMs: number,
  toleranceMs: number,
): KeyVerdict {
  if (state.kind !== 'present') return { kind: 'gone' };
  const nowMs = Math.max(state.nowMs, otherNowMs);
  const expiring = state.expireAtMs !== null && state.expireAtMs - nowMs <= toleranceMs + state.uncertaintyMs;
  return expiring ? { kind: 'expired-in-flight' } : { kind: 'different', type: state.type, classes: [name] };
}

function expiryClass(source: PresentKey, target: PresentKey, toleranceMs: number): DifferenceClass[] {
  if (source.expireAtMs === null || target.expireAtMs === null) {
    return source.expireAtMs === target.expireAtMs ? [] : ['TTL_MISMATCH'];
  }
  const apart = Math.abs(source.expireAtMs - target.expireAtMs);
  const tolerated = toleranceMs + source.uncertaintyMs + target.uncertaintyMs;
  return apart <= tolerated ? [] : ['TTL_MISMATCH'];
}

function sameValue(source: PresentKey, target: PresentKey, paged: PagedVerdict | undefined): PagedVerdict {
  if (source.payload === null || target.payload === null) {
    return paged ?? { reason: 'the value was not read' };
  }
  if (sameBody(source.payload, target.payload)) return { equal: true };
  const left = decodePayload(source.payload);
  const right = decodePayload(target.payload);
  if ('reason' in left) return left;
  if ('reason' in right) return right;
  if (left.value.type === 'module' || right.value.type === 'module') {
    return { reason: 'a module value whose bytes differ cannot be compared' };
  }
  return { equal: sameDigest(left.value, right.value) };
}

/** The elements of a DUMP payload, or why they cannot be had. */
export function decodePayload(payload: Buffer): { value: Value } | { reason: string } {
  try {
    const { type, value, version } = splitDumpPayload(payload);
    return { value: decodeValue(type, value, flavorOfVersion(version)) };
  } catch (error) {
    return { reason: `the value cannot be decoded: ${asError(error).message}` };
  }
}

function sameDigest(left: Value, right: Value): boolean {
  const [a, b] = [new Int32Array(4), new Int32Array(4)];
  digestValue(left, a);
  digestValue(right, b);
  return a.every((lane, index) => lane === b[index]);
}
