/** The name a type has in Redis (`TYPE key`) for each type byte of the snapshot format. */
import { TYPE } from '../rdb/format.ts';

const NAMES: readonly (readonly [string, readonly number[]])[] = [
  ['string', [TYPE.STRING]],
  ['list', [TYPE.LIST, TYPE.LIST_ZIPLIST, TYPE.LIST_QUICKLIST, TYPE.LIST_QUICKLIST_2]],
  ['set', [TYPE.SET, TYPE.SET_INTSET, TYPE.SET_LISTPACK]],
  ['zset', [TYPE.ZSET, TYPE.ZSET_2, TYPE.ZSET_ZIPLIST, TYPE.ZSET_LISTPACK]],
  [
    'hash',
    [
      TYPE.HASH,
      TYPE.HASH_ZIPMAP,
      TYPE.HASH_ZIPLIST,
      TYPE.HASH_LISTPACK,
      TYPE.HASH_METADATA,
      TYPE.HASH_METADATA_PRE_GA,
      TYPE.HASH_LISTPACK_EX,
      TYPE.HASH_LISTPACK_EX_PRE_GA,
    ],
  ],
  ['stream', [TYPE.STREAM_LISTPACKS, TYPE.STREAM_LISTPACKS_2, TYPE.STREAM_LISTPACKS_3]],
  ['module', [TYPE.MODULE_2, TYPE.MODULE_PRE_GA]],
];

/** One above the highest type byte that has a name. */
export const RDB_TYPES = 32;

const BY_BYTE: string[] = Array.from({ length: RDB_TYPES }, (_, type) => {
  const named = NAMES.find(([, bytes]) => bytes.includes(type));
  return named?.[0] ?? `type ${type}`;
});

/** `string`, `list`, `set`, `zset`, `hash`, `stream`, `module`; `type 99` for a byte nobody knows. */
export function rdbTypeName(type: number): string {
  return BY_BYTE[type] ?? `type ${type}`;
}
