/**
 * The decoded level of the snapshot format: the bytes of one value as its elements. One decoder serves snapshot entries
 * and DUMP payloads, the bytes are the same.
 */
import { decodeHash, decodeHashWithTtls, decodeValkeyHash, pairFields, tripleFields } from './decode-hash.ts';
import { decodeQuicklist, decodeStrings, decodeZiplistQuicklist } from './decode-list.ts';
import { decodeStream } from './decode-stream.ts';
import { decodeZset, pairScores } from './decode-zset.ts';
import { type Flavor, moduleName, TYPE } from './format.ts';
import { readIntset } from './intset.ts';
import { readListpack } from './listpack.ts';
import type { Value } from './value.ts';
import { ValueCursor } from './value-cursor.ts';
import { readZiplist } from './ziplist.ts';
import { readZipmap } from './zipmap.ts';

type Decoder = (cursor: ValueCursor) => Value;

/**
 * Decodes the bytes between type byte and footer.
 *
 * Buffers in the result are views into `value` where the bytes stand there as they are: copy to keep. Elements come in
 * stored order, which is meaningful for lists and streams only. `flavor` decides what type 22 is; see `flavorOfVersion`
 * for payloads.
 * @throws SyncError SNAPSHOT_CORRUPT when the bytes are not a value of that type, or the type is unknown.
 */
export function decodeValue(type: number, value: Buffer, flavor: Flavor = 'REDIS'): Value {
  const cursor = new ValueCursor(value, `a value of type ${type}`);
  const decoder = DECODERS[flavor].get(type) ?? cursor.fail('no such type is known');
  const decoded = decoder(cursor);
  cursor.close();
  return decoded;
}

function list(read: (cursor: ValueCursor) => Buffer[]): Decoder {
  return (cursor) => ({ type: 'list', elements: read(cursor) });
}

function set(read: (cursor: ValueCursor) => Buffer[]): Decoder {
  return (cursor) => ({ type: 'set', members: read(cursor) });
}

/** A sorted set that is one string of member, score, …. */
function packedZset(read: (bytes: Buffer) => Buffer[]): Decoder {
  return (cursor) => ({ type: 'zset', members: pairScores(read(cursor.string()), cursor) });
}

/** A hash that is one string of field, value, …. */
function packedHash(read: (bytes: Buffer) => Buffer[]): Decoder {
  return (cursor) => ({ type: 'hash', fields: pairFields(read(cursor.string()), cursor) });
}

function packedHashWithTtls(front: 'smallest expiry' | 'nothing'): Decoder {
  return (cursor) => {
    if (front === 'smallest expiry') cursor.timeMs();
    return { type: 'hash', fields: tripleFields(readListpack(cursor.string()), cursor) };
  };
}

/** The bytes stay as they are; their end was found by the module's opcodes. */
function decodeModule(cursor: ValueCursor): Value {
  const module = moduleName(cursor.length64());
  cursor.at = cursor.end;
  return { type: 'module', module, raw: cursor.bytes };
}

const COMMON: readonly (readonly [type: number, decoder: Decoder])[] = [
  [TYPE.STRING, (cursor) => ({ type: 'string', value: cursor.string() })],
  [TYPE.LIST, list(decodeStrings)],
  [TYPE.SET, set(decodeStrings)],
  [TYPE.ZSET, (cursor) => ({ type: 'zset', members: decodeZset(cursor, 'text') })],
  [TYPE.HASH, (cursor) => ({ type: 'hash', fields: decodeHash(cursor) })],
  [TYPE.ZSET_2, (cursor) => ({ type: 'zset', members: decodeZset(cursor, 'double') })],
  [TYPE.MODULE_PRE_GA, decodeModule],
  [TYPE.MODULE_2, decodeModule],
  [TYPE.HASH_ZIPMAP, packedHash(readZipmap)],
  [TYPE.LIST_ZIPLIST, list((cursor) => readZiplist(cursor.string()))],
  [TYPE.SET_INTSET, set((cursor) => readIntset(cursor.string()))],
  [TYPE.ZSET_ZIPLIST, packedZset(readZiplist)],
  [TYPE.HASH_ZIPLIST, packedHash(readZiplist)],
  [TYPE.LIST_QUICKLIST, list(decodeZiplistQuicklist)],
  [TYPE.STREAM_LISTPACKS, (cursor) => decodeStream(cursor, 1)],
  [TYPE.HASH_LISTPACK, packedHash(readListpack)],
  [TYPE.ZSET_LISTPACK, packedZset(readListpack)],
  [TYPE.LIST_QUICKLIST_2, list(decodeQuicklist)],
  [TYPE.STREAM_LISTPACKS_2, (cursor) => decodeStream(cursor, 2)],
  [TYPE.SET_LISTPACK, set((cursor) => readListpack(cursor.string()))],
  [TYPE.STREAM_LISTPACKS_3, (cursor) => decodeStream(cursor, 3)],
];

const DECODERS: Readonly<Record<Flavor, ReadonlyMap<number, Decoder>>> = {
  REDIS: new Map([
    ...COMMON,
    [
      TYPE.HASH_METADATA_PRE_GA,
      (cursor) => ({ type: 'hash', fields: decodeHashWithTtls(cursor, 'absolute') }),
    ],
    [TYPE.HASH_LISTPACK_EX_PRE_GA, packedHashWithTtls('nothing')],
    [TYPE.HASH_METADATA, (cursor) => ({ type: 'hash', fields: decodeHashWithTtls(cursor, 'relative') })],
    [TYPE.HASH_LISTPACK_EX, packedHashWithTtls('smallest expiry')],
    [TYPE.STREAM_LISTPACKS_4, (cursor) => decodeStream(cursor, 4)],
    [TYPE.STREAM_LISTPACKS_5, (cursor) => decodeStream(cursor, 5)],
  ]),
  VALKEY: new Map([
    ...COMMON,
    [TYPE.VALKEY_HASH_2, (cursor) => ({ type: 'hash', fields: decodeValkeyHash(cursor) })],
  ]),
};
