/**
 * Writes a fixture: the command stream of the server at hand while everything that makes a stream interesting is done to it.
 * Runs only when asked to; see streams/README.md.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Connection } from '../../../engine/connect/connection.ts';
import { openReplicaSession } from '../../../engine/psync/handshake.ts';
import { SnapshotFramer } from '../../../engine/psync/snapshot-framer.ts';
import { encodeCommand } from '../../../engine/resp/encode.ts';
import { infoOf } from '../../support/replication.ts';
import { startServer } from '../../support/server.ts';
import { until } from '../../support/until.ts';

const NAME = process.env['STREAM_FIXTURE'];

const COMMANDS: readonly (readonly (string | number)[])[] = [
  ['SET', 'string', 'v'],
  ['SET', 'expiring', 'v', 'EX', 3600],
  ['SET', 'conditional', 'v', 'NX', 'GET'],
  ['SETNX', 'nx', 'v'],
  ['SETEX', 'DTS_REDIS_TIMESTAMP_HEARTBEAT:l:1', 3, 1_700_000_000_000],
  ['APPEND', 'string', 'w'],
  ['INCRBYFLOAT', 'float', '1.5'],
  ['SETRANGE', 'string', 3, 'xyz'],
  ['GETDEL', 'nx'],
  ['GETEX', 'string', 'PX', 100_000],
  ['PERSIST', 'string'],
  ['EXPIRE', 'string', 1000, 'NX'],
  ['MSET', 'a', 1, 'b', 2, 'c', 3],
  ['RENAMENX', 'a', 'aa'],
  ['COPY', 'b', 'bb', 'REPLACE'],
  ['HSET', 'hash', 'f', 'v', 'g', 'w'],
  ['HINCRBY', 'hash', 'n', 5],
  ['HSETNX', 'hash', 'h', 1],
  ['RPUSH', 'list', 'a', 'b', 'c', 'd'],
  ['LPOP', 'list', 2],
  ['LMOVE', 'list', 'other', 'LEFT', 'RIGHT'],
  ['SADD', 'set', 1, 2, 3],
  ['SPOP', 'set'],
  ['ZADD', 'zset', 'CH', 1, 'a', 2.5, 'b'],
  ['ZPOPMIN', 'zset'],
  ['GEOADD', 'geo', 13.361389, 38.115556, 'Palermo'],
  ['PFADD', 'hll', 'a', 'b'],
  ['SETBIT', 'bits', 1000, 1],
  ['XADD', 'stream', 'MAXLEN', '~', 1000, '*', 'f', 'v'],
  ['XGROUP', 'CREATE', 'stream', 'g', '$'],
  ['XADD', 'stream', '*', 'f', ''],
  ['XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 'stream', '>'],
  ['PUBLISH', 'channel', 'message'],
  ['EVAL', "redis.call('SET', KEYS[1], '1') redis.call('INCR', KEYS[1]) return 1", 1, 'scripted'],
  ['MULTI'],
  ['SET', 'in-multi', '\r\n*1\r\n$4\r\nPING\r\n'],
  ['INCR', 'counted'],
  ['EXEC'],
  ['SELECT', 12],
  ['SET', 'in twelve', 'x'.repeat(300)],
  ['SELECT', 0],
  ['SWAPDB', 1, 2],
  ['DEL', 'redis-sync:link:other', 'b'],
  ['HSET', 'redis-sync:link:other', 'replid', 'r', 'offset', 1],
  ['UNLINK', 'bb', 'c'],
  ['SET', '', 'the empty key'],
  ['SET', 'binary', '\u0000\u00ff\r\n$'],
];

it.runIf(NAME !== undefined)('captures a stream', async () => {
  await using server = await startServer();
  const session = await openReplicaSession(server.endpoint, null, {
    connectTimeoutMs: 5000,
    idleTimeoutMs: 5000,
  });
  const chunks: Buffer[] = [];
  const framer = new SnapshotFramer({ begin: () => undefined, bytes: () => undefined, end: () => undefined });
  const take = (chunk: Buffer): void => void chunks.push(framer.done ? chunk : framer.push(chunk));
  take(session.rest);
  session.socket.on('data', take);
  session.socket.resume();
  await until(async () => framer.done);
  // A diskless source sends nothing before the first one.
  session.socket.write(encodeCommand(['REPLCONF', 'ACK', 0]));
  await using connection = await Connection.open(server.endpoint);
  await connection.pipeline(COMMANDS.map((words) => [...words]));
  const length = (): bigint => BigInt(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  const begins = session.answer.kind === 'full' ? session.answer.offset : 0n;
  await until(async () => {
    const { master_repl_offset: offset = '0' } = await infoOf(server.endpoint, 'replication');
    return BigInt(offset) === begins + length();
  });
  session.socket.destroy();
  const stream = Buffer.concat(chunks);
  expect(stream.includes('FLUSHALL')).toBe(false);
  await writeFile(join(import.meta.dirname, 'streams', `${NAME}.stream`), stream);
});
