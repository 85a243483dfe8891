/**
 * Whether a target takes the bytes of a value as a payload, and with which version stamped on it.
 *
 *   the source's version is taken            stamp the source's version: nothing is changed
 *   an older one is, and the value's layout  stamp that one: the bytes between type and footer are the same in both
 *     existed in it already
 *   otherwise                                the value has to be rebuilt with commands
 *
 * A version number is the newest layout a server writes, not the layout of one value: a set of integers looks the same
 * from version 2 to 80.
 */
import type { Flavor } from '../../rdb/format.ts';
import { flavorOfVersion, TYPE } from '../../rdb/format.ts';
import type { TargetFacts } from '../target-facts.ts';

export const REBUILD = -1;

/** RDB version that introduced each layout (src/rdb.h of Redis 2.6 … 8.8). */
const LAYOUT_SINCE: ReadonlyMap<number, number> = new Map([
  [TYPE.STRING, 1],
  [TYPE.LIST, 1],
  [TYPE.SET, 1],
  [TYPE.ZSET, 1],
  [TYPE.HASH, 1],
  [TYPE.HASH_ZIPMAP, 2],
  [TYPE.LIST_ZIPLIST, 2],
  [TYPE.SET_INTSET, 2],
  [TYPE.ZSET_ZIPLIST, 2],
  [TYPE.HASH_ZIPLIST, 4],
  [TYPE.LIST_QUICKLIST, 7],
  [TYPE.ZSET_2, 8],
  [TYPE.MODULE_2, 8],
  [TYPE.STREAM_LISTPACKS, 9],
  [TYPE.HASH_LISTPACK, 10],
  [TYPE.ZSET_LISTPACK, 10],
  [TYPE.LIST_QUICKLIST_2, 10],
  [TYPE.STREAM_LISTPACKS_2, 10],
  [TYPE.SET_LISTPACK, 11],
  [TYPE.STREAM_LISTPACKS_3, 11],
  [TYPE.HASH_METADATA, 12],
  [TYPE.HASH_LISTPACK_EX, 12],
  [TYPE.STREAM_LISTPACKS_4, 13],
  [TYPE.STREAM_LISTPACKS_5, 14],
]);

/** Types from here on mean different things to Redis and Valkey. */
const FIRST_FLAVORED_TYPE = TYPE.HASH_METADATA_PRE_GA;

/** For each type byte the version to stamp, or REBUILD. */
export type PayloadForms = Int16Array;

/** What to do with every type of a snapshot (or payload) of this version on this target. */
export function payloadForms(sourceVersion: number, flavor: Flavor, facts: TargetFacts): PayloadForms {
  const forms = new Int16Array(256).fill(REBUILD);
  const { payloadVersions } = facts;
  if (payloadVersions === undefined || payloadVersions.has(sourceVersion)) return forms.fill(sourceVersion);
  const accepted = [...payloadVersions].toSorted((a, b) => a - b);
  for (const [type, since] of LAYOUT_SINCE) {
    const stamp = accepted.findLast((version) => version >= since && canStamp(type, version, flavor));
    if (stamp !== undefined) forms[type] = stamp;
  }
  return forms;
}

/** Newest first would pick 80 for everything old: that is right, because layouts below type 22 are shared. */
function canStamp(type: number, version: number, flavor: Flavor): boolean {
  return type < FIRST_FLAVORED_TYPE || (flavor === 'REDIS' && flavorOfVersion(version) === 'REDIS');
}
