/**
 * A small dataset with every value type in every encoding a server can be brought to write, and what that server says
 * about it, in the same canonical form as decoded values. Test support only.
 */
import type { Connection } from '../../../engine/connect/connection.ts';
import type { Argument } from '../../../engine/resp/encode.ts';
import { ReplyError } from '../../../engine/resp/reply.ts';

/** Long enough to leave every packed encoding (64 bytes), and compressible. */
const LONG = 'long value '.repeat(7);
const BINARY = Buffer.from(Array.from({ length: 90 }, (_, index) => (index * 151 + 7) & 255));
const EXPIRE_AT_MS = 4102444800123;

/** Directives under which a few elements already take the large encodings. */
export const EVERY_TYPE_CONFIG: Record<string, string> = { databases: '20' };

const COMMANDS: readonly (readonly Argument[])[] = [
  ['SELECT', 0],
  ['SET', 'string:int8', -120],
  ['SET', 'string:int16', 12345],
  ['SET', 'string:int32', -123456789],
  ['SET', 'string:int64', '1234567890123'],
  ['SET', 'string:short', 'hello'],
  ['SET', 'string:empty', ''],
  ['SET', 'string:compressible', 'abc'.repeat(300)],
  ['SET', 'string:binary', BINARY],
  ['SET', '', 'empty key'],
  ['SET', '4711', 'integer key'],
  ['SET', 'a key that is long and repeats a key that is long and repeats', 'compressed key'],
  ['SET', Buffer.from([0, 255, 13, 10, 34]), 'binary key'],
  ['SETBIT', 'string:bitmap', 100, 1],
  ['PFADD', 'string:hll', 'a', 'b', 'c'],
  ['SET', `expires:${EXPIRE_AT_MS}`, 'x'],
  ['PEXPIREAT', `expires:${EXPIRE_AT_MS}`, EXPIRE_AT_MS],
  ['RPUSH', 'list:small', 'a', '1', '-5000', 'd'.repeat(40)],
  ['RPUSH', 'list:long', ...Array.from({ length: 9 }, (_, index) => `${index} ${LONG}`)],
  [
    'RPUSH',
    'list:integers',
    0,
    127,
    128,
    -1,
    -4096,
    4095,
    4096,
    -32768,
    8388607,
    -2147483648,
    '9007199254740993',
  ],
  ['RPUSH', 'list:edges', '', 'x'.repeat(63), 'y'.repeat(64), BINARY, '-0', '007', ' 1'],
  ['SADD', 'set:int16', 1, 2, -3],
  ['SADD', 'set:int32', 1, 70000],
  ['SADD', 'set:int64', 1, -5, '9007199254740993'],
  ['SADD', 'set:small', 'a', 'b', '3'],
  ['SADD', 'set:large', 'a', LONG, BINARY, ''],
  ['HSET', 'hash:small', 'field', 'value', 'n', 42, '', ''],
  ['HSET', 'hash:large', 'field', LONG, BINARY, 'x', '7', '8'],
  [
    'ZADD',
    'zset:small',
    1,
    'one',
    -0.5,
    'half',
    'inf',
    'inf',
    '-inf',
    '-inf',
    '-0',
    'zero',
    '3.141592653589793',
    'pi',
  ],
  [
    'ZADD',
    'zset:large',
    1,
    LONG,
    '17976931348623157e292',
    'max',
    '5e-324',
    'min',
    '-0',
    'zero',
    'inf',
    'inf',
    0.1,
    BINARY,
  ],
  ['XADD', 'stream:one', '1700000000000-0', 'a', '1', 'b', LONG],
  ['XADD', 'stream:one', '1700000000000-5', 'a', '2', 'b', 'x'],
  ['XADD', 'stream:one', '1700000000001-0', 'other', BINARY],
  ['XADD', 'stream:one', '1700000000009-1', 'a', '-9', 'b', ''],
  ['XDEL', 'stream:one', '1700000000000-5'],
  ['XADD', 'stream:huge ids', '18446744073709551614-7', 'f', 'v'],
  ['XADD', 'stream:huge ids', '18446744073709551614-18446744073709551615', 'f', 'v'],
  ['XGROUP', 'CREATE', 'stream:one', 'group', '0'],
  ['XGROUP', 'CREATE', 'stream:one', 'idle group', '$'],
  ['XREADGROUP', 'GROUP', 'group', 'alice', 'COUNT', 2, 'STREAMS', 'stream:one', '>'],
  ['XREADGROUP', 'GROUP', 'group', BINARY, 'COUNT', 1, 'STREAMS', 'stream:one', '>'],
  ['XACK', 'stream:one', 'group', '1700000000000-0'],
  ['XCLAIM', 'stream:one', 'group', 'alice', 0, '1700000000009-1', 'TIME', 1700000000777, 'RETRYCOUNT', 12],
  ['XADD', 'stream:empty', '5-5', 'f', 'v'],
  ['XTRIM', 'stream:empty', 'MAXLEN', 0],
  ['SELECT', 3],
  ['SET', 'in three', 'x'],
  ['SELECT', 15],
  ['RPUSH', 'in fifteen', 'x'],
  ['SELECT', 0],
];

/** Commands that only newer servers know; a refusal is fine. */
const NEWER: readonly (readonly Argument[])[] = [
  // 7.0: list nodes that are one element (needs enable-debug-command); functions.
  ['DEBUG', 'QUICKLIST-PACKED-THRESHOLD', '200B'],
  ...['1', '2', '3', '4', 'p'.repeat(300), 'small again', BINARY].map((element) => [
    'RPUSH',
    'list:plain nodes',
    element,
  ]),
  [
    'FUNCTION',
    'LOAD',
    "#!lua name=everytype\nredis.register_function('everytype', function() return 1 end)\n",
  ],
  // 7.2: a consumer that never got anything.
  ['XGROUP', 'CREATECONSUMER', 'stream:one', 'group', 'bob'],
  // 7.4 and Valkey 9: time to live of fields.
  ['HSET', 'hash:ttl small', 'forever', 'x', 'until', 'y', 'later', '12'],
  ['HPEXPIREAT', 'hash:ttl small', EXPIRE_AT_MS, 'FIELDS', 1, 'until'],
  ['HPEXPIREAT', 'hash:ttl small', EXPIRE_AT_MS + 5000, 'FIELDS', 1, 'later'],
  ['HSET', 'hash:ttl large', 'forever', LONG, 'until', BINARY, 'later', '12'],
  ['HPEXPIREAT', 'hash:ttl large', EXPIRE_AT_MS, 'FIELDS', 1, 'until'],
  ['HPEXPIREAT', 'hash:ttl large', EXPIRE_AT_MS + 5000, 'FIELDS', 1, 'later'],
  // 8.0: a module value.
  ['VADD', 'module:vector set', 'VALUES', 3, '0.5', '0.25', '1', 'element'],
];

/** Writes the dataset into an empty server. */
export async function fillEveryType(connection: Connection): Promise<void> {
  // Several nodes per list, whatever the directive is called there.
  await connection.tryCall('CONFIG', 'SET', 'list-max-ziplist-size', 3);
  await connection.tryCall('CONFIG', 'SET', 'list-max-listpack-size', 3);
  for (const command of COMMANDS) await connection.call(...command);
  for (const command of NEWER) await connection.tryCall(...command);
  await connection.call(
    'RPUSH',
    'list:nodes',
    ...Array.from({ length: 8 }, (_, index) => `element ${index}`),
  );
}

/** Whether the server knows the command at all. */
export async function knows(connection: Connection, ...command: Argument[]): Promise<boolean> {
  return !((await connection.tryCall(...command)) instanceof ReplyError);
}
