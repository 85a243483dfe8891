/**
 * The fixed set of awkward keys and values, the same in every run: what some tool got wrong at least once. Every type in
 * every encoding, on both sides of the default thresholds of Redis 7.
 */
import type { CommandWriter } from './command-writer.ts';
import { STREAM_CORNERS } from './corner-streams.ts';
import { EVERY_BYTE, INVALID_UTF8, range, text, type Corner, type Word } from './corner.ts';
import { SPECIAL_SCORES } from './zset.ts';

const string = (key: string | Buffer, value: Word): Corner => ({ key, commands: (k) => [['SET', k, value]] });
const hash = (key: string, ...words: Word[]): Corner => ({ key, commands: (k) => [['HMSET', k, ...words]] });
const list = (key: string, ...words: Word[]): Corner => ({ key, commands: (k) => [['RPUSH', k, ...words]] });
const set = (key: string, ...words: Word[]): Corner => ({ key, commands: (k) => [['SADD', k, ...words]] });
const zset = (key: string, ...words: Word[]): Corner => ({ key, commands: (k) => [['ZADD', k, ...words]] });

const AWKWARD_KEYS: Corner[] = [
  'with space',
  'crlf\r\nSET injected 1\r\n',
  'nul\0inside',
  '{tag}a',
  '{tag}b',
  '{}empty-tag',
  'a{}{b}',
  '{{nested}}',
  '{unclosed',
  'quote"back\\slash\'',
  '*glob?[a-z]*',
  '*3\r\n$3\r\nSET\r\n',
  text(4096),
  EVERY_BYTE,
  INVALID_UTF8,
  Buffer.from('ünï-cödé-日本-🦀'),
  Buffer.from([0]),
].map((key) => string(key, 'corner'));

const INTEGERS = [
  '0',
  '-1',
  '127',
  '128',
  '-128',
  '-129',
  '32767',
  '32768',
  '-32769',
  '2147483647',
  '2147483648',
];
const INTEGERS_64 = ['-2147483649', '9223372036854775807', '-9223372036854775808'];
/** They look like integers; Redis keeps them as text. */
const NOT_INTEGERS = ['9223372036854775808', '007', '+1', '-0', '1.0', ' 1'];

const STRINGS: Corner[] = [
  string('string:empty', ''),
  string('string:crlf', 'line\r\n$-1\r\n-ERR no\r\n'),
  string('string:every-byte', EVERY_BYTE),
  string('string:invalid-utf8', INVALID_UTF8),
  ...[...INTEGERS, ...INTEGERS_64].map((integer) => string(`string:int:${integer}`, integer)),
  ...NOT_INTEGERS.map((value) => string(`string:not-int:${value}`, value)),
  // 44|45: embstr and raw; 63|64, 16383|16384: lengths of 6, 14 and 32 bits in the snapshot.
  ...[44, 45, 63, 64, 16_383, 16_384, 65_536].map((length) =>
    string(`string:length:${length}`, text(length)),
  ),
  {
    key: 'string:appended',
    commands: (k) => [
      ['SET', k, '1'],
      ['APPEND', k, '2'],
    ],
  },
];

/** To be added to a zset that is already a skiplist: a listpack turns -0 into 0. */
const EXTREMES = ['inf', 'top', '-inf', 'low', '-0', 'zero'];

const COLLECTIONS: Corner[] = [
  hash('hash:listpack-512', ...range(1, 512).flatMap((n) => [`f${n}`, n])),
  hash('hash:table-513', ...range(1, 513).flatMap((n) => [`f${n}`, n])),
  hash('hash:listpack-64-bytes', 'f', text(64)),
  hash('hash:table-65-bytes', 'f', text(65)),
  hash('hash:empty-words', '', '', 'a', '', EVERY_BYTE, INVALID_UTF8, INVALID_UTF8, EVERY_BYTE),
  list('list:one', 'x'),
  list('list:duplicates', 'a', 'a', '', '', 'a', EVERY_BYTE, INVALID_UTF8),
  list('list:several-nodes', ...range(1, 300).map((n) => `${n}:${text(100)}`)),
  list('list:one-large', 'small', text(20_000), 'small'),
  list('list:integers', 0, 12, 127, -1, 4095, -4096, 32_767, 8_388_607, 2_147_483_647, '9223372036854775807'),
  set('set:intset-16', ...range(-3, 3)),
  set('set:intset-32', 1, 70_000),
  set('set:intset-64', 1, '9223372036854775807', '-9223372036854775808'),
  set('set:intset-512', ...range(1, 512)),
  set('set:table-513-integers', ...range(1, 513)),
  set('set:small-128', ...range(1, 128).map((n) => `m${n}`)),
  set('set:table-129', ...range(1, 129).map((n) => `m${n}`)),
  set('set:mixed', 1, 2, 'three', '', EVERY_BYTE, INVALID_UTF8, text(65)),
  zset('zset:special-scores', ...SPECIAL_SCORES.flatMap((score) => [score, `score ${score}`])),
  zset('zset:same-score', 0, 'b', 0, 'a', 0, '', 0, EVERY_BYTE, 0, INVALID_UTF8),
  zset('zset:minus-zero', '-0', 'minus', '0', 'plus'),
  zset('zset:listpack-128', ...range(1, 128).flatMap((n) => [n / 8, `m${n}`])),
  zset('zset:skiplist-129', ...range(1, 129).flatMap((n) => [n / 8, `m${n}`])),
  zset('zset:listpack-64-bytes', 1, text(64)),
  zset('zset:skiplist-65-bytes', 1, text(65)),
  zset('zset:skiplist-special', ...range(1, 200).flatMap((n) => [n, `m${n}`]), ...EXTREMES),
];

const OTHERS: Corner[] = [
  { key: 'hyperloglog:empty', commands: (k) => [['PFADD', k]] },
  { key: 'hyperloglog:sparse', commands: (k) => [['PFADD', k, ...range(1, 50)]] },
  { key: 'hyperloglog:dense', commands: (k) => [['PFADD', k, ...range(1, 6000)]] },
  { key: 'bitmap:zero', commands: (k) => [['SETBIT', k, 0, 0]] },
  { key: 'bitmap:sparse', commands: (k) => [['SETBIT', k, 800_000, 1]] },
  {
    key: 'geo:edges',
    commands: (k) => [['GEOADD', k, -180, -85, 'low', 180, 85, 'high', 0, 0, '', 0, 0, 'same']],
  },
  {
    key: 'ttl:string',
    commands: (k) => [
      ['SET', k, 'v'],
      ['PEXPIRE', k, 315_360_000_000],
    ],
  },
  {
    key: 'ttl:hash',
    commands: (k) => [
      ['HMSET', k, 'f', 'v'],
      ['PEXPIRE', k, 86_400_000],
    ],
  },
  {
    key: 'ttl:removed',
    commands: (k) => [
      ['SET', k, 'v'],
      ['PEXPIRE', k, 86_400_000],
      ['PERSIST', k],
    ],
  },
];

const CORNERS: Corner[] = [...AWKWARD_KEYS, ...STRINGS, ...COLLECTIONS, ...OTHERS, ...STREAM_CORNERS];

/** Keys `writeCorners` creates: each begins with the prefix, except one, the empty key. */
export const CORNER_COUNT = CORNERS.length + 1;

/** Writes the commands that create the wanted corner keys; returns their number. Needs Redis 5 (streams). */
export function writeCorners(
  out: CommandWriter,
  prefix: string,
  isWanted: (key: Buffer) => boolean = () => true,
): number {
  const empty: Corner = { key: '', commands: (k) => [['SET', k, 'the empty key']] };
  const start = Buffer.from(`${prefix}corner:`);
  const named = CORNERS.map((corner) => ({ corner, key: Buffer.concat([start, Buffer.from(corner.key)]) }));
  const wanted = [{ corner: empty, key: Buffer.alloc(0) }, ...named].filter(({ key }) => isWanted(key));
  for (const { corner, key } of wanted) for (const command of corner.commands(key)) out.command(...command);
  return wanted.length;
}
