/** What is sent instead of a command has the effect of the command: side by side on one server, in two databases. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Connection } from '../../../../engine/connect/connection.ts';
import type { Argument } from '../../../../engine/resp/encode.ts';
import { textOf } from '../../../../engine/resp/reply-text.ts';
import { ReplyError } from '../../../../engine/resp/reply.ts';
import { startServer, type TestServer } from '../../../support/server.ts';
import { askEverything, type CanonicalKey } from '../../rdb/canonical.ts';
import { throwOnErrors } from '../rebuild/rebuilding.ts';
import { factsOf, translate } from './translating.ts';

/** Far enough away that nothing expires meanwhile. */
const LATER_MS = 4_102_444_800_123;

const STATE: readonly (readonly Argument[])[] = [
  ['SET', 'string', 'old value'],
  ['PEXPIREAT', 'string', LATER_MS],
  ['RPUSH', 'list', 'a', 'b', 'c', 'd', 'e'],
  ['RPUSH', 'other list', 'x'],
  ['ZADD', 'zset', 1, 'one', 2, 'two', '2.5', 'half', 'inf', 'most', '-0.1', 'least'],
  ['ZADD', 'lexical', 0, 'a', 0, 'b', 0, 'c', 0, 'd'],
  ['ZADD', 'zset too', 7, 'two'],
  ['SADD', 'set', 'one', 'elsewhere'],
  ['GEOADD', 'geo', '13.361389', '38.115556', 'Palermo', '15.087269', '37.502669', 'Catania'],
  ['HSET', 'hash', 'f', 'v', 'g', 'w'],
  ['PEXPIREAT', 'hash', LATER_MS],
  ...[1, 2, 3, 4, 5].map((ms) => ['XADD', 'stream', `${ms}-1`, 'f', String(ms)]),
  ['XGROUP', 'CREATE', 'stream', 'group', '2-1'],
];

/** Servers before 7.4 refuse the second one. */
const FIELD_TTLS: readonly (readonly Argument[])[] = [
  ['HSET', 'hash with ttl', 'f', 'v', 'g', 'w'],
  ['HPEXPIREAT', 'hash with ttl', LATER_MS, 'FIELDS', 1, 'f'],
];

/** The version that knows none of the commands below, and the commands. */
const BEFORE: readonly (readonly [target: string, command: readonly Argument[]])[] = [
  ['redis 5.0', ['SET', 'string', 'new', 'KEEPTTL']],
  ['redis 5.0', ['SET', 'nothing there', 'new', 'KEEPTTL']],
  ['redis 6.0', ['SET', 'string', 'new', 'PXAT', LATER_MS + 5]],
  ['redis 6.0', ['COPY', 'hash', 'copy']],
  ['redis 6.0', ['COPY', 'list', 'zset', 'REPLACE']],
  ['redis 6.0', ['LMOVE', 'list', 'other list', 'LEFT', 'LEFT']],
  ['redis 6.0', ['LMOVE', 'list', 'other list', 'LEFT', 'RIGHT']],
  ['redis 6.0', ['LMOVE', 'list', 'other list', 'RIGHT', 'LEFT']],
  ['redis 6.0', ['LMOVE', 'list', 'other list', 'RIGHT', 'RIGHT']],
  ['redis 6.0', ['LMOVE', 'list', 'list', 'LEFT', 'RIGHT']],
  ['redis 6.0', ['LMOVE', 'nothing there', 'list', 'LEFT', 'RIGHT']],
  ['redis 6.0', ['LPOP', 'list', 2]],
  ['redis 6.0', ['LPOP', 'list', 99]],
  ['redis 6.0', ['RPOP', 'list', 3]],
  ['redis 6.0', ['RPOP', 'list', 5]],
  ['redis 6.0', ['ZADD', 'zset', 'GT', 5, 'one', 0, 'two', 3, 'new']],
  ['redis 6.0', ['ZADD', 'zset', 'LT', 'CH', 5, 'one', 0, 'two', '-inf', 'most']],
  ['redis 6.0', ['ZADD', 'zset', 'XX', 'GT', 5, 'one', 3, 'new']],
  ['redis 6.0', ['ZADD', 'zset', 'GT', 'INCR', '0.1', 'half']],
  ['redis 6.0', ['ZADD', 'zset', 'LT', 'INCR', '0.1', 'half']],
  ['redis 6.0', ['ZADD', 'zset', 'GT', '3.141592653589793', 'half']],
  ['redis 4.0', ['ZPOPMIN', 'zset']],
  ['redis 4.0', ['ZPOPMIN', 'zset', 2]],
  ['redis 4.0', ['ZPOPMAX', 'zset', 99]],
  ['redis 6.0', ['ZDIFFSTORE', 'difference', 3, 'zset', 'zset too', 'set']],
  ['redis 6.0', ['ZDIFFSTORE', 'zset', 2, 'set', 'nothing there']],
  ['redis 6.0', ['ZDIFFSTORE', 'zset', 2, 'zset too', 'zset']],
  ['redis 6.0', ['ZRANGESTORE', 'range', 'zset', 1, 2]],
  ['redis 6.0', ['ZRANGESTORE', 'range', 'zset', 0, 1, 'REV']],
  ['redis 6.0', ['ZRANGESTORE', 'zset', 'zset', '(1', '+inf', 'BYSCORE', 'LIMIT', 1, 2]],
  ['redis 6.0', ['ZRANGESTORE', 'range', 'zset', '+inf', '2', 'BYSCORE', 'REV']],
  ['redis 6.0', ['ZRANGESTORE', 'range', 'lexical', '[b', '(d', 'BYLEX']],
  ['redis 6.0', ['ZRANGESTORE', 'range', 'lexical', '+', '-', 'BYLEX', 'REV', 'LIMIT', 0, 3]],
  ['redis 6.0', ['ZRANGESTORE', 'list', 'zset', 7, 9]],
  [
    'redis 6.0',
    ['GEOSEARCHSTORE', 'found', 'geo', 'FROMLONLAT', 15, 37, 'BYRADIUS', 200, 'km', 'ASC', 'COUNT', 1],
  ],
  ['redis 6.0', ['GEOSEARCHSTORE', 'found', 'geo', 'FROMMEMBER', 'Palermo', 'BYRADIUS', 300, 'km']],
  ['redis 6.0', ['GEOSEARCHSTORE', 'zset', 'nothing there', 'FROMLONLAT', 15, 37, 'BYRADIUS', 200, 'km']],
  ['redis 6.0', ['GEOSEARCHSTORE', 'geo', 'geo', 'FROMLONLAT', 15, 37, 'BYRADIUS', 100, 'km']],
  ['redis 6.0', ['XADD', 'stream', 'NOMKSTREAM', '9-1', 'f', 'v']],
  ['redis 6.0', ['XGROUP', 'CREATECONSUMER', 'stream', 'group', 'consumer']],
  ['redis 6.0', ['GETDEL', 'string']],
  ['redis 3.2', ['UNLINK', 'string', 'list']],
  ['redis 3.2', ['HSET', 'hash', 'g', 'new', 'h', 'more']],
  // Known to Redis 8 and Valkey 9 only: run with REDIS_SYNC_SERVER.
  ['redis 7.4', ['HSETEX', 'hash', 'PXAT', LATER_MS, 'FIELDS', 2, 'f', 'new', 'h', 'more']],
  ['redis 7.4', ['HSETEX', 'hash with ttl', 'KEEPTTL', 'FIELDS', 2, 'f', 'new', 'g', 'more']],
  ['redis 7.4', ['HSETEX', 'hash with ttl', 'FIELDS', 1, 'f', 'new']],
  ['redis 7.4', ['HGETDEL', 'hash', 'FIELDS', 1, 'f']],
  ['valkey 8.0', ['MSETEX', 2, 'string', 'new', 'list', 'new', 'PXAT', LATER_MS]],
  ['redis 7.0', ['DELIFEQ', 'string', 'old value']],
];

let server: TestServer;
let connection: Connection;

beforeAll(async () => {
  server = await startServer();
  connection = await Connection.open(server.endpoint);
});

afterAll(async () => {
  await connection.close();
  await server.stop();
});

/** What database 1 holds after the state and these commands. */
async function after(commands: readonly (readonly Argument[])[]): Promise<CanonicalKey[]> {
  await connection.pipeline([['FLUSHALL'], ['SELECT', 1], ...FIELD_TTLS]);
  const replies = await connection.pipeline([...STATE, ['MULTI'], ...commands, ['EXEC']]);
  throwOnErrors(replies);
  return askEverything(connection);
}

async function isKnown(command: readonly Argument[]): Promise<boolean> {
  const reply = await connection.call('COMMAND', 'INFO', command[0] ?? '');
  return Array.isArray(reply) && Array.isArray(reply[0]);
}

describe('instead of', () => {
  for (const [target, command] of BEFORE) {
    it(`${command.join(' ')} on ${target}`, async (context) => {
      context.skip(!(await isKnown(command)), 'this server does not know the command itself');
      const { translation } = translate(factsOf(target), command);
      const commands = translation.kind === 'commands' ? translation.commands : [];
      expect(withoutTimes(await after(commands))).toEqual(withoutTimes(await after([command])));
    });
  }

  it('XADD and XTRIM with MINID: everything below is gone, the rest untouched', async () => {
    const { translation } = translate(factsOf('redis 6.0'), [
      'XADD',
      'stream',
      'MINID',
      '=',
      '4-0',
      '9-1',
      'f',
      'v',
    ]);
    await after(translation.kind === 'commands' ? translation.commands : []);
    await connection.call('SELECT', 1);
    const entries = await connection.call('XRANGE', 'stream', '-', '+');
    expect(
      Array.isArray(entries) ? entries.map((entry) => textOf(Array.isArray(entry) ? entry[0] : null)) : [],
    ).toEqual(['4-1', '5-1', '9-1']);
  });

  it('MAXLEN = n LIMIT m, which a source writes and no client may send', async () => {
    const command = ['XADD', 'stream', 'MAXLEN', '=', 2, 'LIMIT', 10, '9-1', 'f', 'v'];
    await connection.call('SELECT', 1);
    const refused = await connection.tryCall(...command);
    expect(refused).toBeInstanceOf(ReplyError);
    const { translation } = translate(factsOf('redis 7.0'), command);
    const keys = await after(translation.kind === 'commands' ? translation.commands : []);
    expect(keys.find(({ key }) => key === 'stream')?.value).toMatchObject({ length: 2 });
  });
});

/** A consumer is seen when it is created. */
function withoutTimes(keys: readonly CanonicalKey[]): unknown {
  const text = JSON.stringify(keys, (name: string, value: unknown) =>
    name === 'consumers' && Array.isArray(value)
      ? value.map((row: unknown) => (Array.isArray(row) ? [row[0]] : row))
      : value,
  );
  const parsed: unknown = JSON.parse(text);
  return parsed;
}
