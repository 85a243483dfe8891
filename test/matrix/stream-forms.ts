/**
 * Commands of every version that make a source write a form which older targets do not know. A source executes those it
 * has; the stream carries what it makes of them.
 */
import type { Argument } from '../../engine/resp/encode.ts';

/** Far away, so that nothing expires while it is compared. */
const LATER_MS = 4_102_444_800_123;
const LATER_S = 4_102_444_800;

const LIBRARY = `#!lua name=matrix
redis.register_function('matrix', function(keys) return redis.call('INCR', keys[1]) end)`;

/** A key of a field expiry: what a target without them may differ in. */
export const FIELD_TTL_KEYS: readonly string[] = [
  'hash:ttl small',
  'hash:ttl large',
  'form:field ttl',
  'form:hsetex',
];
/** Keys of modules. */
export const MODULE_KEYS: readonly string[] = ['module:vector set', 'form:vector set'];

export const STREAM_FORMS: readonly (readonly Argument[])[] = [
  // Durations (before 7.0) and times (since).
  ['SET', 'form:ex', 'v', 'EX', 5000],
  ['SET', 'form:px', 'v', 'PX', 5_000_000],
  ['SETEX', 'form:setex', 5000, 'v'],
  ['PSETEX', 'form:psetex', 5_000_000, 'v'],
  ['SET', 'form:expire', 'v'],
  ['EXPIRE', 'form:expire', 5000],
  ['SET', 'form:pexpire', 'v'],
  ['PEXPIRE', 'form:pexpire', 5_000_000],
  ['SET', 'form:expireat', 'v'],
  ['EXPIREAT', 'form:expireat', LATER_S],
  ['SET', 'form:gone', 'v', 'PX', 1],
  ['SET', 'form:keepttl', 'v', 'EX', 5000],
  ['SET', 'form:keepttl', 'w', 'KEEPTTL'],
  ['SET', 'form:float', 1, 'EX', 5000],
  ['INCRBYFLOAT', 'form:float', '0.25'],
  // 6.2
  ['SET', 'form:exat', 'v', 'EXAT', LATER_S],
  ['SET', 'form:getex', 'v'],
  ['GETEX', 'form:getex', 'PXAT', LATER_MS],
  ['SET', 'form:getdel', 'v'],
  ['GETDEL', 'form:getdel'],
  ['COPY', 'form:ex', 'form:copy'],
  ['COPY', 'form:ex', 'form:copy', 'DB', 3],
  ['RPUSH', 'form:list', 'a', 'b', 'c', 'd', 'e', 'f', 'g'],
  ['LPOP', 'form:list', 2],
  ['RPOP', 'form:list', 1],
  ['LMOVE', 'form:list', 'form:list too', 'LEFT', 'LEFT'],
  ['LMOVE', 'form:list', 'form:list too', 'LEFT', 'RIGHT'],
  ['LMOVE', 'form:list', 'form:list too', 'RIGHT', 'LEFT'],
  ['ZADD', 'form:zset', 1, 'a', 2, 'b', 3, 'c', 4, 'd', 5, 'e'],
  ['ZADD', 'form:zset', 'GT', 7, 'a', 1, 'b'],
  ['ZADD', 'form:zset', 'LT', 'CH', 7, 'c', '0.1', 'd'],
  ['ZADD', 'form:zset', 'GT', 'INCR', '0.2', 'e'],
  ['ZDIFFSTORE', 'form:zdiff', 2, 'form:zset', 'form:nothing'],
  ['ZRANGESTORE', 'form:zrange', 'form:zset', 1, 2],
  ['ZRANGESTORE', 'form:zrange by score', 'form:zset', '(1', '+inf', 'BYSCORE', 'LIMIT', 0, 2],
  ['ZPOPMIN', 'form:zset'],
  ['GEOADD', 'form:geo', '13.361389', '38.115556', 'Palermo', '15.087269', '37.502669', 'Catania'],
  ['GEOSEARCHSTORE', 'form:geo found', 'form:geo', 'FROMLONLAT', 15, 37, 'BYRADIUS', 200, 'km'],
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((ms): Argument[] => ['XADD', 'form:stream', `${ms}-1`, 'f', ms]),
  ['XADD', 'form:stream', 'NOMKSTREAM', '10-1', 'f', 'v'],
  ['XADD', 'form:stream', 'MAXLEN', '~', 8, 'LIMIT', 1, '11-1', 'f', 'v'],
  ['XADD', 'form:stream', 'MINID', '=', '3-0', '12-1', 'f', 'v'],
  ['XTRIM', 'form:stream', 'MINID', '4-1'],
  ['XTRIM', 'form:stream', 'MAXLEN', 7],
  ['XGROUP', 'CREATE', 'form:stream', 'group', 0],
  ['XGROUP', 'CREATECONSUMER', 'form:stream', 'group', 'idle'],
  ['XREADGROUP', 'GROUP', 'group', 'busy', 'COUNT', 3, 'STREAMS', 'form:stream', '>'],
  ['XACK', 'form:stream', 'group', '6-1'],
  ['XAUTOCLAIM', 'form:stream', 'group', 'second', 0, 0, 'COUNT', 1],
  // 7.0
  ['RPUSH', 'form:mpop', 'a', 'b', 'c'],
  ['LMPOP', 1, 'form:mpop', 'LEFT', 'COUNT', 2],
  ['ZADD', 'form:zmpop', 1, 'a', 2, 'b', 3, 'c'],
  ['ZMPOP', 1, 'form:zmpop', 'MAX', 'COUNT', 2],
  ['SET', 'form:expire nx', 'v'],
  ['EXPIRE', 'form:expire nx', 5000, 'NX'],
  ['XSETID', 'form:stream', '99-1', 'ENTRIESADDED', 50, 'MAXDELETEDID', '2-1'],
  ['FUNCTION', 'LOAD', LIBRARY],
  ['FCALL', 'matrix', 1, 'form:function'],
  // 7.4, 8.0, Valkey 9: field expiries
  ['HSET', 'form:field ttl', 'a', 1, 'b', 2, 'c', 3],
  ['HPEXPIREAT', 'form:field ttl', LATER_MS, 'FIELDS', 2, 'a', 'b'],
  ['HPEXPIREAT', 'form:field ttl', LATER_MS + 5000, 'GT', 'FIELDS', 1, 'a'],
  ['HPERSIST', 'form:field ttl', 'FIELDS', 1, 'b'],
  ['HSETEX', 'form:hsetex', 'PXAT', LATER_MS, 'FIELDS', 2, 'a', 1, 'b', 2],
  ['HSETEX', 'form:hsetex', 'KEEPTTL', 'FIELDS', 1, 'a', 7],
  ['HSET', 'form:hgetdel', 'a', 1, 'b', 2],
  ['HGETDEL', 'form:hgetdel', 'FIELDS', 1, 'a'],
  // Valkey 8.1, 9: conditions with a value; several keys with one expiry
  ['SET', 'form:ifeq', 'v'],
  ['SET', 'form:ifeq', 'w', 'IFEQ', 'v'],
  ['SET', 'form:delifeq', 'v'],
  ['DELIFEQ', 'form:delifeq', 'v'],
  ['MSETEX', 2, 'form:msetex a', 1, 'form:msetex b', 2, 'EX', 5000],
  // 8.0: a module's command
  ['VADD', 'form:vector set', 'VALUES', 2, '0.5', '0.25', 'element'],
];
