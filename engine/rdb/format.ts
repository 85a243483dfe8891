/**
 * The numbers of the snapshot format: opcodes, value types, string encodings.
 *
 *   snapshot = "REDIS" 4 digits | "VALKEY" 3 digits        magic and version, 9 bytes
 *              { opcode operands | type key value }*
 *              EOF, CRC64 (8 bytes, little-endian, from version 5 on)
 *
 * Sources: src/rdb.h and src/rdb.c of Redis (2.8 … 8) and Valkey (8, 9); names are theirs.
 */

export const OPCODE = {
  /** Valkey 9: state of a slot import that was under way. Redis ≥ 8.6 uses the same number for KEY_META. */
  SLOT_IMPORT: 243,
  KEY_META: 243,
  SLOT_INFO: 244,
  FUNCTION2: 245,
  FUNCTION_PRE_GA: 246,
  MODULE_AUX: 247,
  IDLE: 248,
  FREQ: 249,
  AUX: 250,
  RESIZEDB: 251,
  EXPIRETIME_MS: 252,
  EXPIRETIME: 253,
  SELECTDB: 254,
  EOF: 255,
} as const;

/** Below this number a record starts with a value type. */
export const FIRST_OPCODE = 240;

export const TYPE = {
  STRING: 0,
  LIST: 1,
  SET: 2,
  /** Scores as text. */
  ZSET: 3,
  HASH: 4,
  /** Scores as 8-byte doubles. */
  ZSET_2: 5,
  /** Release candidates of 4.0: no opcodes inside, so nobody without the module can find its end. */
  MODULE_PRE_GA: 6,
  MODULE_2: 7,
  HASH_ZIPMAP: 9,
  LIST_ZIPLIST: 10,
  SET_INTSET: 11,
  ZSET_ZIPLIST: 12,
  HASH_ZIPLIST: 13,
  LIST_QUICKLIST: 14,
  STREAM_LISTPACKS: 15,
  HASH_LISTPACK: 16,
  ZSET_LISTPACK: 17,
  LIST_QUICKLIST_2: 18,
  STREAM_LISTPACKS_2: 19,
  SET_LISTPACK: 20,
  STREAM_LISTPACKS_3: 21,
  /** Redis 7.4 release candidates: field TTLs are absolute. */
  HASH_METADATA_PRE_GA: 22,
  HASH_LISTPACK_EX_PRE_GA: 23,
  /** Redis ≥ 7.4: field TTLs are relative to the smallest one, which stands in front. */
  HASH_METADATA: 24,
  HASH_LISTPACK_EX: 25,
  /** Redis 8.6: with the state of idempotent producers. */
  STREAM_LISTPACKS_4: 26,
  /** Redis 8.8: with pending entries that were handed back and belong to nobody. */
  STREAM_LISTPACKS_5: 27,
  /** Valkey ≥ 9 (under its own magic): the same number as HASH_METADATA_PRE_GA, another layout. */
  VALKEY_HASH_2: 22,
} as const;

/** The magic word: type numbers from 22 on and opcodes below 244 mean different things under each. */
export type Flavor = 'REDIS' | 'VALKEY';

/**
 * Newest versions whose layout is known here. Redis 14 (8.8) has two types more that are not: 28 (array) and 33 (rate
 * limiter); a snapshot that holds one is refused with its key.
 */
export const VERSION_MAX: Readonly<Record<Flavor, number>> = { REDIS: 14, VALKEY: 80 };

export const HEADER_BYTES = 9;

/** First version that ends with a CRC64. */
export const CHECKSUM_SINCE_VERSION = 5;

/** Encodings of a string whose first length byte is `11xxxxxx`. */
export const STRING_ENCODING = { INT8: 0xc0, INT16: 0xc1, INT32: 0xc2, LZF: 0xc3 } as const;

/** Opcodes inside a module's value. */
export const MODULE_OPCODE = { EOF: 0, SINT: 1, UINT: 2, FLOAT: 3, DOUBLE: 4, STRING: 5 } as const;

const MODULE_NAME_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/**
 * The 9-character name in the upper 54 bits of a module id (the lower 10 bits are the encoding version).
 * Source: moduleTypeNameByID in src/module.c.
 */
export function moduleName(id: bigint): string {
  let name = '';
  for (let shift = 58n; shift >= 10n; shift -= 6n) name += MODULE_NAME_ALPHABET[Number((id >> shift) & 63n)];
  return name;
}

/** Which layout family a version number of a DUMP payload belongs to: Valkey counts from 80 on (src/rdb.h of Valkey). */
export function flavorOfVersion(version: number): Flavor {
  return version >= 80 ? 'VALKEY' : 'REDIS';
}

/** The magic word and version of the 9 bytes at `at`, or undefined when they are neither. */
export function readHeader(bytes: Buffer, at: number): { flavor: Flavor; version: number } | undefined {
  const match = /^(?:REDIS(\d{4})|VALKEY(\d{3}))$/.exec(bytes.toString('latin1', at, at + HEADER_BYTES));
  if (match === null) return undefined;
  return match[1] === undefined
    ? { flavor: 'VALKEY', version: Number(match[2]) }
    : { flavor: 'REDIS', version: Number(match[1]) };
}
