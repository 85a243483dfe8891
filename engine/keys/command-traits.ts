/**
 * What is known of each command that a source's stream may hold: where its keys are, whether applying it twice does harm,
 * and whether it falls apart into one command per key.
 *
 * Source of the fact: `COMMAND` of Redis 7.0 … 8 and Valkey 9, and the stream forms measured on them. A test holds the table
 * against a server's own.
 */
import { NameTable } from '../apply/translate/name-table.ts';
import type { CommandFrame } from '../resp/command-framer.ts';

/** Where keys are that a command's own words say: positions into its words are pushed to `out`. */
export type FindKeys = (frame: CommandFrame, out: number[]) => void;

export interface CommandTraits {
  /** Position of the first key, of the last one (negative: from the end), and from one to the next; 0 = it has none. */
  first: number;
  last: number;
  step: number;
  /** Keys that come besides, where options or numbers say. */
  more?: FindKeys;
  /** Applied once more, in order, it leaves the same state behind; false for what counts, appends, pops or moves. */
  idempotent: boolean;
  /** It is the same as one command per key (with the words up to the next key). */
  splits: boolean;
}

type Spec = readonly [first: number, last: number, step: number, more?: FindKeys];

const ONE: Spec = [1, 1, 1];
const TWO: Spec = [1, 2, 1];
const ALL: Spec = [1, -1, 1];
const PAIRS: Spec = [1, -1, 2];
const NONE: Spec = [0, 0, 0];

/** Stream forms that may be applied again. Reading other keys does harm only when those have changed since: `no`. */
const IDEMPOTENT: readonly [spec: Spec, names: string][] = [
  [
    ONE,
    'SET SETEX PSETEX SETNX GETSET SETBIT SETRANGE GETDEL DELEX HSET HMSET HSETNX HDEL HSETEX HGETDEL HGETEX HEXPIRE ' +
      'HEXPIREAT HPEXPIRE HPEXPIREAT HPERSIST SADD SREM ZREM ZREMRANGEBYLEX ZREMRANGEBYSCORE GEOADD ZADD PFADD EXPIRE ' +
      'EXPIREAT PEXPIRE PEXPIREAT PERSIST GETEX RESTORE RESTORE-ASKING XDEL XDELEX XACK XACKDEL XTRIM XSETID VREM VSETATTR ' +
      'DELIFEQ DUMP',
  ],
  [ALL, 'DEL UNLINK TOUCH'],
  [PAIRS, 'MSET MSETNX'],
  [[1, -1, 3], 'SLOTSRESTORE'],
  [[0, 0, 0, countedPairs], 'MSETEX'],
  [NONE, 'FLUSHALL FLUSHDB FUNCTION SCRIPT PUBLISH SELECT PING REPLCONF MULTI EXEC'],
  [ONE, 'SPUBLISH'],
];

const COUNTING: readonly [spec: Spec, names: string][] = [
  [
    ONE,
    'APPEND INCR DECR INCRBY DECRBY INCRBYFLOAT INCREX BITFIELD HINCRBY HINCRBYFLOAT LPUSH LPUSHX RPUSH RPUSHX LINSERT LREM ' +
      'LSET LTRIM LPOP RPOP SPOP ZINCRBY ZPOPMIN ZPOPMAX ZREMRANGEBYRANK XADD XCLAIM XAUTOCLAIM VADD MOVE',
  ],
  [TWO, 'RENAME RENAMENX COPY RPOPLPUSH BRPOPLPUSH LMOVE BLMOVE SMOVE ZRANGESTORE GEOSEARCHSTORE'],
  [ALL, 'SINTERSTORE SUNIONSTORE SDIFFSTORE PFMERGE PFCOUNT'],
  [[1, -2, 1], 'BLPOP BRPOP BZPOPMIN BZPOPMAX'],
  [[2, 2, 1], 'XGROUP OBJECT PFDEBUG SLOTSRESTORE-ASYNC'],
  [[2, -1, 1], 'BITOP'],
  [[1, 1, 1, countedFrom(2)], 'ZUNIONSTORE ZINTERSTORE ZDIFFSTORE'],
  [[0, 0, 0, countedFrom(2)], 'EVAL EVALSHA EVAL_RO EVALSHA_RO FCALL FCALL_RO BLMPOP BZMPOP'],
  [[0, 0, 0, countedFrom(1)], 'LMPOP ZMPOP'],
  [[1, 1, 1, stored(['STORE'], 2)], 'SORT'],
  [[1, 1, 1, stored(['STORE', 'STOREDIST'], 6)], 'GEORADIUS'],
  [[1, 1, 1, stored(['STORE', 'STOREDIST'], 5)], 'GEORADIUSBYMEMBER'],
  [[0, 0, 0, afterStreams], 'XREAD XREADGROUP'],
  [[0, 0, 0, migrated], 'MIGRATE'],
  [NONE, 'SWAPDB'],
];

const SPLITTING = new Set(['DEL', 'UNLINK', 'TOUCH', 'MSET', 'MSETNX']);

const table = new NameTable<CommandTraits>();
for (const [rows, idempotent] of [
  [IDEMPOTENT, true],
  [COUNTING, false],
] as const) {
  for (const [[first, last, step, more], names] of rows) {
    for (const name of names.split(' ')) {
      const traits = { first, last, step, idempotent, splits: SPLITTING.has(name) };
      table.set(name, more === undefined ? traits : { ...traits, more });
    }
  }
}

/** The traits of the command whose name stands at `buffer[start, end)`, in any case; undefined when it is not known. */
export function traitsOf(buffer: Buffer, start: number, end: number): CommandTraits | undefined {
  return table.get(buffer, start, end);
}

/** Whether applying the framed command once more, in order, does no harm. Unknown ones do. */
export function isIdempotent(frame: CommandFrame): boolean {
  const { buffer, argStart, argEnd } = frame;
  const traits = traitsOf(buffer, argStart[0]!, argEnd[0]!);
  if (traits?.idempotent !== true) return false;
  return !(isWord(frame, 0, 'ZADD') && hasOption(frame, 'INCR'));
}

/** MSETEX numkeys key value … */
function countedPairs(frame: CommandFrame, out: number[]): void {
  const count = numberAt(frame, 1);
  for (let index = 0; index < count && 2 + index * 2 < frame.argc; index++) out.push(2 + index * 2);
}

/** … numkeys key key …, the number at `position`. */
function countedFrom(position: number): FindKeys {
  return (frame, out) => {
    const count = numberAt(frame, position);
    for (let at = position + 1; at <= position + count && at < frame.argc; at++) out.push(at);
  };
}

/** The word behind one of the options; the last one counts. */
function stored(options: readonly string[], from: number): FindKeys {
  return (frame, out) => {
    let found = 0;
    for (let at = from; at + 1 < frame.argc; at++)
      if (options.some((option) => isWord(frame, at, option))) found = ++at;
    if (found > 0) out.push(found);
  };
}

/** … STREAMS key key … id id … */
function afterStreams(frame: CommandFrame, out: number[]): void {
  let at = 1;
  while (at < frame.argc && !isWord(frame, at, 'STREAMS')) at++;
  const count = Math.floor((frame.argc - at - 1) / 2);
  for (let index = 1; index <= count; index++) out.push(at + index);
}

/** MIGRATE host port key|"" db timeout … [KEYS key …] */
function migrated(frame: CommandFrame, out: number[]): void {
  if (frame.argEnd[3]! > frame.argStart[3]!) return void out.push(3);
  let at = 6;
  while (at < frame.argc && !isWord(frame, at, 'KEYS')) at++;
  for (at++; at < frame.argc; at++) out.push(at);
}

function hasOption(frame: CommandFrame, option: string): boolean {
  // ZADD's options stand before the first score.
  for (let at = 2; at < frame.argc && at < 8; at++) if (isWord(frame, at, option)) return true;
  return false;
}

function isWord({ buffer, argStart, argEnd }: CommandFrame, at: number, word: string): boolean {
  const start = argStart[at]!;
  const end = argEnd[at]!;
  return end - start === word.length && buffer.toString('latin1', start, end).toUpperCase() === word;
}

/** 0 when it is no number. */
function numberAt({ buffer, argStart, argEnd, argc }: CommandFrame, at: number): number {
  if (at >= argc) return 0;
  const text = buffer.toString('latin1', argStart[at], argEnd[at]);
  return /^\d{1,9}$/.test(text) ? Number(text) : 0;
}
