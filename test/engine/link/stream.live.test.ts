/** Full sync and command stream between real servers: everything a client can write arrives, exactly. */
import { describe, expect, it } from 'vitest';
import { Connection, type Argument } from '../../../engine/connect/connection.ts';
import { ReplyError } from '../../../engine/resp/reply.ts';
import { ask, LINK, Rehearsal, until } from './rehearsal.ts';

type Command = Argument[];

const LIBRARY = `#!lua name=lib
redis.register_function('twice', function(keys) redis.call('INCR', keys[1]) return redis.call('INCR', keys[1]) end)`;

/** Every family of commands; each list runs on a server that has already executed it once, and then again. */
const FAMILIES: Record<string, Command[]> = {
  string: [
    ['SET', 'str', 'v'],
    ['SET', 'str', 'w', 'XX'],
    ['SET', 'str', 'x', 'NX'],
    ['SETNX', 'nx', '1'],
    ['GETSET', 'str', 'y'],
    ['APPEND', 'str', 'z'],
    ['SETRANGE', 'str', 20, 'far'],
    ['INCR', 'n'],
    ['DECRBY', 'n', 7],
    ['INCRBYFLOAT', 'f', '0.1'],
    ['MSET', 'a', 1, 'b', 2],
    ['MSETNX', 'c', 1, 'd', 2],
    ['GETDEL', 'a'],
    ['SET', 'bin', Buffer.from([0, 13, 10, 255])],
    ['SETBIT', 'bits', 77, 1],
    ['BITOP', 'XOR', 'bits2', 'bits', 'str'],
    ['BITFIELD', 'bf', 'INCRBY', 'u8', 3, 200],
    ['PFADD', 'hll', 'a', 'b', 'c'],
    ['PFMERGE', 'hll2', 'hll'],
    ['LCS', 'str', 'b'],
  ],
  expiry: [
    ['SET', 'e1', 'v', 'PX', 3_600_000],
    ['SETEX', 'e2', 3600, 'v'],
    ['EXPIRE', 'e1', 7200, 'GT'],
    ['SET', 'e3', 'v', 'EX', 3600],
    ['PERSIST', 'e3'],
    ['GETEX', 'e2', 'EX', 100],
    ['PEXPIREAT', 'e2', 4_000_000_000_000],
    ['SET', 'e1', 'w', 'KEEPTTL'],
    ['SET', 'gone', 'v', 'PX', 1],
    ['EXPIRE', 'never', 10],
    ['EXPIREAT', 'e3', 1],
  ],
  keys: [
    ['SET', 'k1', '1'],
    ['RENAME', 'k1', 'k2'],
    ['RENAMENX', 'k2', 'k3'],
    ['COPY', 'k3', 'k4', 'REPLACE'],
    ['COPY', 'k3', 'k5', 'DB', 12, 'REPLACE'],
    ['SET', 'k6', '1'],
    ['UNLINK', 'k6', 'nothing'],
    ['SET', 'move', '1'],
    ['MOVE', 'move', 12],
    ['SORT', 'l', 'ALPHA', 'STORE', 'sorted'],
    ['TOUCH', 'k4'],
  ],
  list: [
    ['RPUSH', 'l', 'a', 'b', 'c', 'd'],
    ['LPUSH', 'l', 'z'],
    ['LPUSHX', 'l', 'y'],
    ['RPUSHX', 'nolist', 'y'],
    ['LINSERT', 'l', 'BEFORE', 'b', 'i'],
    ['LSET', 'l', 0, 's'],
    ['LREM', 'l', 1, 'c'],
    ['LTRIM', 'l', 0, 20],
    ['LPOP', 'l'],
    ['RPOPLPUSH', 'l', 'l2'],
    ['LMOVE', 'l', 'l2', 'LEFT', 'RIGHT'],
    ['LMPOP', 1, 'l2', 'LEFT'],
    ['BLPOP', 'l', 1],
    ['BLMOVE', 'l', 'l3', 'LEFT', 'LEFT', 1],
  ],
  hash: [
    ['HSET', 'h', 'a', 1, 'b', 2, 'c', 3],
    ['HSETNX', 'h', 'd', 4],
    ['HMSET', 'h', 'e', 5],
    ['HINCRBY', 'h', 'a', 5],
    ['HINCRBYFLOAT', 'h', 'b', '0.3'],
    ['HDEL', 'h', 'c'],
    ['HSET', 'h', Buffer.from([255, 0]), Buffer.from([10, 13])],
  ],
  set: [
    ['SADD', 's', 1, 2, 3, 'x'],
    ['SADD', 's2', 2, 3, 4],
    ['SREM', 's', 1],
    ['SPOP', 's'],
    ['SPOP', 's2', 2],
    ['SMOVE', 's', 's3', 'x'],
    ['SINTERSTORE', 's4', 's', 's2'],
    ['SUNIONSTORE', 's5', 's', 's2'],
    ['SDIFFSTORE', 's6', 's5', 's4'],
  ],
  zset: [
    ['ZADD', 'z', 1, 'a', '2.5', 'b', 'inf', 'c', '-0', 'd'],
    ['ZADD', 'z', 'GT', 0, 'b'],
    ['ZADD', 'z', 'NX', 9, 'new'],
    ['ZADD', 'z', 'INCR', '0.1', 'a'],
    ['ZINCRBY', 'z', '0.2', 'a'],
    ['ZREM', 'z', 'd'],
    ['ZPOPMIN', 'z'],
    ['ZADD', 'z2', 1, 'a', 2, 'b', 3, 'c', 4, 'd', 5, 'e'],
    ['ZPOPMAX', 'z2'],
    ['ZREMRANGEBYRANK', 'z2', 0, 0],
    ['ZREMRANGEBYSCORE', 'z2', 2, 2],
    ['ZREMRANGEBYLEX', 'z2', '[c', '[c'],
    ['ZUNIONSTORE', 'z3', 2, 'z', 'z2'],
    ['ZINTERSTORE', 'z4', 2, 'z', 'z3'],
    ['ZDIFFSTORE', 'z5', 2, 'z3', 'z4'],
    ['ZRANGESTORE', 'z6', 'z3', 0, 1],
    ['ZMPOP', 1, 'z3', 'MIN'],
    ['BZPOPMIN', 'z3', 1],
    ['GEOADD', 'geo', '13.361389', '38.115556', 'Palermo', '15.087269', '37.502669', 'Catania'],
    ['GEOSEARCHSTORE', 'geo2', 'geo', 'FROMMEMBER', 'Palermo', 'BYRADIUS', 200, 'km', 'ASC'],
  ],
  stream: [
    ['XADD', 'x', '*', 'f', 'v'],
    ['XADD', 'x', 'MAXLEN', '~', 1000, '*', 'f', 'v2'],
    ['XADD', 'x', '*', 'f', 'v3'],
    ['XGROUP', 'CREATE', 'x', 'g', 0],
    ['XREADGROUP', 'GROUP', 'g', 'c1', 'COUNT', 2, 'STREAMS', 'x', '>'],
    ['XGROUP', 'CREATECONSUMER', 'x', 'g', 'c2'],
    ['XAUTOCLAIM', 'x', 'g', 'c2', 0, 0, 'COUNT', 1],
    ['XTRIM', 'x', 'MAXLEN', 50],
    ['XGROUP', 'CREATE', 'x2', 'g2', '$', 'MKSTREAM'],
    ['XGROUP', 'SETID', 'x', 'g', 0],
    ['XSETID', 'x2', '9-9'],
    ['XGROUP', 'DELCONSUMER', 'x', 'g', 'c1'],
    ['XADD', 'x', 'NOMKSTREAM', '*', 'f', 'v4'],
  ],
  script: [
    [
      'EVAL',
      "redis.call('SET', KEYS[1], ARGV[1]) redis.call('INCR', 'lua') return redis.call('SPOP', KEYS[2])",
      2,
      'script',
      's5',
      'v',
    ],
    ['FUNCTION', 'LOAD', 'REPLACE', LIBRARY],
    ['FCALL', 'twice', 1, 'fn'],
    ['EVAL', "return redis.call('TIME')", 0],
  ],
  transaction: [
    ['MULTI'],
    ['INCR', 'm1'],
    ['SELECT', 12],
    ['INCR', 'm2'],
    ['RPUSH', 'ml', 'a'],
    ['SELECT', 0],
    ['GET', 'm1'],
    ['EXEC'],
    ['MULTI'],
    ['GET', 'm1'],
    ['EXEC'],
    ['MULTI'],
    ['INCR', 'm3'],
    ['LPUSH', 'm1', 'wrong type'],
    ['INCR', 'm3'],
    ['EXEC'],
    ['MULTI'],
    ['INCR', 'm3'],
    ['DISCARD'],
  ],
  server: [
    ['PUBLISH', 'channel', 'm'],
    ['SCRIPT', 'FLUSH'],
    ['SWAPDB', 3, 4],
    ['SELECT', 12],
    ['SET', 'twelve', 'v'],
    ['SELECT', 3],
    ['INCR', 'three'],
    ['SELECT', 0],
  ],
};

const ALL = Object.values(FAMILIES).flat();

describe('a link between real servers', () => {
  for (const [name, config] of [
    ['disk-based', { 'repl-diskless-sync': 'no' }],
    ['diskless', { 'repl-diskless-sync': 'yes' }],
  ] as const) {
    it(`${name}: copies everything there is, then everything that is written, of every family`, async () => {
      await using rehearsal = await Rehearsal.open({ source: config });
      const { source } = rehearsal;
      await source.pipeline(ALL);
      const life = rehearsal.start();
      await life.reaches('Synchronizing');
      await rehearsal.drained(life);
      expect(await rehearsal.differences()).toEqual([]);
      const replies = await source.pipeline(ALL);
      // The list is worth something only if nearly all of it is written again.
      const refused = replies
        .filter((reply) => reply instanceof ReplyError)
        .map((reply) => (reply instanceof ReplyError ? reply.message : ''));
      expect(refused).toEqual([expect.stringContaining('BUSYGROUP'), expect.stringContaining('BUSYGROUP')]);
      await rehearsal.drained(life);
      expect(await rehearsal.differences()).toEqual([]);
      expect(life.of('finding')).toEqual([]);
      expect(life.status.errors).toEqual({});
      expect(life.status.stream.transactions).toBeGreaterThan(0);
      expect(life.status.dropped).toEqual({ publish: 1 });
      await life.stop();
      expect(life.states).toEqual(['Initializing', 'Synchronizing', 'Finished']);
      expect(life.syncs).toEqual(['full']);
      expect(await rehearsal.spooled()).toEqual([]);
    });
  }

  it('goes on in database 12 after a restart, with what was written meanwhile, and without a second full sync', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source, target } = rehearsal;
    await source.pipeline([
      ['SELECT', 12],
      ['RPUSH', 'l', 'seed'],
    ]);
    const first = rehearsal.start();
    await first.reaches('Synchronizing');
    // The source says SELECT 12 now, and not again before another database is written to.
    await source.call('RPUSH', 'l', 'a');
    await rehearsal.drained(first);
    await first.stop();
    expect(await ask(target, 'HGET', `redis-sync:link:${LINK}`, 'db')).toBe('12');
    await source.call('RPUSH', 'l', 'b');
    const second = rehearsal.start();
    await second.reaches('Synchronizing');
    await source.call('RPUSH', 'l', 'c');
    await rehearsal.drained(second);
    await source.call('SELECT', 0);
    expect(await rehearsal.differences()).toEqual([]);
    await target.call('SELECT', 12);
    expect(await target.call('LRANGE', 'l', 0, -1)).toEqual(
      ['seed', 'a', 'b', 'c'].map((word) => Buffer.from(word)),
    );
    await target.call('SELECT', 0);
    expect(second.syncs).toEqual(['partial']);
    expect(second.status.fullResyncs).toBe(0);
  });

  it('shows a transaction of the source as a whole or not at all', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source } = rehearsal;
    // Small envelopes, so that there are many boundaries at which one could be torn.
    const life = rehearsal.start({ envelopeCommands: 3, envelopeBytes: 200 });
    await life.reaches('Synchronizing');
    await using reader = await Connection.open(rehearsal.servers.target.endpoint);
    const torn: string[] = [];
    const seen = { looks: 0 };
    const controller = new AbortController();
    const reading = (async () => {
      while (!controller.signal.aborted) {
        const values = await ask(reader, 'MGET', 'one', 'two', 'three');
        if (new Set(values.split(' ')).size > 1) torn.push(values);
        seen.looks++;
      }
    })();
    let rounds = 0;
    // Until the reader had its chances, however busy the machine is.
    while (seen.looks < 200 || rounds < 20) {
      const writes = Array.from({ length: 20 }, (_, index) => {
        const value = rounds * 20 + index;
        return [
          ['MULTI'],
          ['SET', 'one', value],
          ['RPUSH', 'noise', value],
          ['SET', 'two', value],
          ['INCR', 'count'],
          ['SET', 'three', value],
          ['EXEC'],
        ];
      });
      await source.pipeline(writes.flat());
      rounds++;
    }
    await rehearsal.drained(life);
    controller.abort();
    await reading;
    expect(torn).toEqual([]);
    expect(life.status.stream.transactions).toBe(20 * rounds);
    expect(await rehearsal.differences()).toEqual([]);
  });

  it('answers WAIT on the source when the target has the data, not earlier', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source, target } = rehearsal;
    const life = rehearsal.start();
    await life.reaches('Synchronizing');
    for (let value = 1; value <= 20; value++) {
      await source.call('SET', 'k', value);
      expect(await source.call('WAIT', 1, 10_000)).toBe(1);
      expect(await ask(target, 'GET', 'k')).toBe(String(value));
    }
  });

  it('measures the lag with a heartbeat that never reaches the target, and removes it at the end', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source, target } = rehearsal;
    const life = rehearsal.start({ heartbeatMs: 50 });
    await until(
      'three lag samples',
      () => life.status.lagMs !== null && (life.status.dropped['heartbeat'] ?? 0) >= 3,
    );
    expect(life.status.lagMs).toBeLessThan(10_000);
    expect(await target.call('KEYS', 'DTS_*')).toEqual([]);
    await life.stop();
    expect(await source.call('KEYS', '*')).toEqual([]);
  });

  it('keeps the checkpoint young while the source sends nothing but messages', async () => {
    await using rehearsal = await Rehearsal.open();
    const { source, target } = rehearsal;
    const life = rehearsal.start();
    await life.reaches('Synchronizing');
    const message = 'm'.repeat(1000);
    await source.pipeline(Array.from({ length: 500 }, () => ['PUBLISH', 'channel', message]));
    await rehearsal.drained(life);
    const checkpoint = BigInt(await ask(target, 'HGET', `redis-sync:link:${LINK}`, 'offset'));
    expect((await rehearsal.sourceOffset()) - checkpoint).toBeLessThan(128n * 1024n);
  });
});
