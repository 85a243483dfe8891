/** The nearest deadline among the fields of a hash in a snapshot, found with as little decoding as its layout allows. */
import type { RawEntry } from '../../rdb/entry.ts';
import { decodeValue } from '../../rdb/decode.ts';
import { TYPE, type Flavor } from '../../rdb/format.ts';

/** Smallest expiry, 8 bytes little-endian, in front. */
const SMALLEST_FIRST: ReadonlySet<number> = new Set([TYPE.HASH_METADATA, TYPE.HASH_LISTPACK_EX]);
const ANYWHERE: ReadonlySet<number> = new Set([TYPE.HASH_METADATA_PRE_GA, TYPE.HASH_LISTPACK_EX_PRE_GA]);

/** A value of this type may have fields with a deadline. */
export function mayHaveFieldDeadlines(type: number): boolean {
  return SMALLEST_FIRST.has(type) || ANYWHERE.has(type);
}

/** Ms since the epoch; Infinity when no field has one. @throws SyncError SNAPSHOT_CORRUPT. */
export function nearestFieldDeadline(
  { type, value }: Pick<RawEntry, 'type' | 'value'>,
  flavor: Flavor,
): number {
  if (SMALLEST_FIRST.has(type) && value.length >= 8) return Number(value.readBigUInt64LE(0));
  if (!mayHaveFieldDeadlines(type)) return Infinity;
  const decoded = decodeValue(type, value, flavor);
  if (decoded.type !== 'hash') return Infinity;
  const deadlines = decoded.fields.flatMap(({ expireAtMs }) => (expireAtMs < 0 ? [] : [expireAtMs]));
  return Math.min(Infinity, ...deadlines);
}
