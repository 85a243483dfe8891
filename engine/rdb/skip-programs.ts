/**
 * Where each value type ends, written as little programs for `ValueSkipper`. This table is the whole knowledge the raw
 * level has about values.
 */
import { TYPE, type Flavor } from './format.ts';

/** Instructions. Operands follow in the next cells. */
export const SKIP = {
  /** The value ends here. */
  END: 0,
  /** One string. */
  STRING: 1,
  /** One plain length. */
  LENGTH: 2,
  /** n bytes. */
  BYTES: 3,
  /** A double as text: one length byte (253, 254, 255 = nan, inf, -inf, nothing follows), then so many characters. */
  TEXT_DOUBLE: 4,
  /** A count, then count × n strings. */
  STRINGS: 5,
  /** (The rest of a STRINGS; stands behind each of them.) */
  STRINGS_REST: 6,
  /** A count, then count × n bytes. */
  BLOCKS: 7,
  /** A count, then count × the instructions up to NEXT; the operand is the cell behind that NEXT. */
  LOOP: 8,
  NEXT: 9,
  /** Module opcodes with their operands up to and with the module's own EOF. */
  MODULE: 10,
} as const;

export type SkipProgram = readonly number[];

/** One string: what most small values are (a listpack, a ziplist, an intset is stored as one string). */
export const SINGLE_STRING: SkipProgram = [SKIP.STRING, SKIP.END];

export const MODULE_AUX_PROGRAM: SkipProgram = [SKIP.LENGTH, SKIP.LENGTH, SKIP.LENGTH, SKIP.MODULE, SKIP.END];

/** Redis ≥ 8.6, metadata of modules for the next key: count × (class, 4 bytes, values, end). */
export const KEY_META_PROGRAM: SkipProgram = [...repeat([SKIP.BYTES, 4, SKIP.MODULE], 0), SKIP.END];

/** Valkey 9: job name, then count × (first slot, last slot). */
export const SLOT_IMPORT_PROGRAM: SkipProgram = [
  SKIP.STRING,
  ...repeat([SKIP.LENGTH, SKIP.LENGTH], 1),
  SKIP.END,
];

const STRINGS_1: SkipProgram = [SKIP.STRINGS, 1, SKIP.STRINGS_REST, SKIP.END];
const STRINGS_2: SkipProgram = [SKIP.STRINGS, 2, SKIP.STRINGS_REST, SKIP.END];
const MODULE: SkipProgram = [SKIP.LENGTH, SKIP.MODULE, SKIP.END];

/** count × `body`, for a place `at` cells into a program. */
function repeat(body: SkipProgram, at: number): number[] {
  return [SKIP.LOOP, at + 2 + body.length + 1, ...body, SKIP.NEXT];
}

function counted(body: SkipProgram): SkipProgram {
  return [...repeat(body, 0), SKIP.END];
}

/** 1: 5.0, 2: 7.0, 3: 7.2, 4: 8.6, 5: 8.8. */
export type StreamGeneration = 1 | 2 | 3 | 4 | 5;

/**
 *   count × (master id, listpack) · length · last id · [2: first id · max deleted id · entries added]
 *   · groups × ( name · last id · [2: entries read] · pending × (id 16, time 8, deliveries)
 *                · consumers × (name, seen 8, [3: active 8], pending × id 16) · [5: handed back × id 16] )
 *   · [4: duration · entries max · producers × (name, entries × (name, id)) · added · duplicates]
 *
 * Source: rdbSaveObject, OBJ_STREAM, in src/rdb.c.
 */
function stream(generation: StreamGeneration): SkipProgram {
  const program: number[] = [SKIP.STRINGS, 2, SKIP.STRINGS_REST, SKIP.LENGTH, SKIP.LENGTH, SKIP.LENGTH];
  if (generation >= 2) program.push(SKIP.LENGTH, SKIP.LENGTH, SKIP.LENGTH, SKIP.LENGTH, SKIP.LENGTH);
  const groupAt = program.length + 2;
  const group: number[] = [SKIP.STRING, SKIP.LENGTH, SKIP.LENGTH];
  if (generation >= 2) group.push(SKIP.LENGTH);
  group.push(...repeat([SKIP.BYTES, 24, SKIP.LENGTH], groupAt + group.length));
  const consumer = [SKIP.STRING, SKIP.BYTES, generation >= 3 ? 16 : 8, SKIP.BLOCKS, 16];
  group.push(...repeat(consumer, groupAt + group.length));
  if (generation >= 5) group.push(SKIP.BLOCKS, 16);
  program.push(...repeat(group, program.length));
  if (generation >= 4) program.push(...producers(program.length));
  program.push(SKIP.END);
  return program;
}

function producers(at: number): number[] {
  const producerAt = at + 4;
  const entries = repeat([SKIP.STRING, SKIP.LENGTH, SKIP.LENGTH], producerAt + 1);
  return [SKIP.LENGTH, SKIP.LENGTH, ...repeat([SKIP.STRING, ...entries], at + 2), SKIP.LENGTH, SKIP.LENGTH];
}

const COMMON: readonly (readonly [type: number, program: SkipProgram])[] = [
  [TYPE.STRING, SINGLE_STRING],
  [TYPE.LIST, STRINGS_1],
  [TYPE.SET, STRINGS_1],
  [TYPE.ZSET, counted([SKIP.STRING, SKIP.TEXT_DOUBLE])],
  [TYPE.HASH, STRINGS_2],
  [TYPE.ZSET_2, counted([SKIP.STRING, SKIP.BYTES, 8])],
  [TYPE.MODULE_2, MODULE],
  [TYPE.HASH_ZIPMAP, SINGLE_STRING],
  [TYPE.LIST_ZIPLIST, SINGLE_STRING],
  [TYPE.SET_INTSET, SINGLE_STRING],
  [TYPE.ZSET_ZIPLIST, SINGLE_STRING],
  [TYPE.HASH_ZIPLIST, SINGLE_STRING],
  [TYPE.LIST_QUICKLIST, STRINGS_1],
  [TYPE.STREAM_LISTPACKS, stream(1)],
  [TYPE.HASH_LISTPACK, SINGLE_STRING],
  [TYPE.ZSET_LISTPACK, SINGLE_STRING],
  [TYPE.LIST_QUICKLIST_2, counted([SKIP.LENGTH, SKIP.STRING])],
  [TYPE.STREAM_LISTPACKS_2, stream(2)],
  [TYPE.SET_LISTPACK, SINGLE_STRING],
  [TYPE.STREAM_LISTPACKS_3, stream(3)],
];

const REDIS_ONLY: typeof COMMON = [
  [TYPE.HASH_METADATA_PRE_GA, counted([SKIP.LENGTH, SKIP.STRING, SKIP.STRING])],
  [TYPE.HASH_LISTPACK_EX_PRE_GA, SINGLE_STRING],
  [TYPE.HASH_METADATA, [SKIP.BYTES, 8, ...repeat([SKIP.LENGTH, SKIP.STRING, SKIP.STRING], 2), SKIP.END]],
  [TYPE.HASH_LISTPACK_EX, [SKIP.BYTES, 8, SKIP.STRING, SKIP.END]],
  [TYPE.STREAM_LISTPACKS_4, stream(4)],
  [TYPE.STREAM_LISTPACKS_5, stream(5)],
];

const VALKEY_ONLY: typeof COMMON = [[TYPE.VALKEY_HASH_2, counted([SKIP.STRING, SKIP.STRING, SKIP.BYTES, 8])]];

function table(own: typeof COMMON): readonly (SkipProgram | undefined)[] {
  const programs: (SkipProgram | undefined)[] = Array.from({ length: 256 }, () => undefined);
  for (const [type, program] of [...COMMON, ...own]) programs[type] = program;
  return programs;
}

/** The program of every known value type, by type byte. */
export const SKIP_PROGRAMS: Readonly<Record<Flavor, readonly (SkipProgram | undefined)[]>> = {
  REDIS: table(REDIS_ONLY),
  VALKEY: table(VALKEY_ONLY),
};
