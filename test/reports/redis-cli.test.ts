import { describe, expect, test } from 'vitest';
import { readCommand, redisCliLine } from '../../reports/redis-cli.ts';

const server = { host: '127.0.0.1', port: 6379, database: 3 };
const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

describe('redisCliLine', () => {
  test.each([
    ['user:17', 'user:17'],
    ['two words', "'two words'"],
    ["it's", "$'it\\'s'"],
    ['', "''"],
    ['$HOME `x` !', "'$HOME `x` !'"],
    ['\xff\n\\', "$'\\xff\\n\\\\'"],
  ])('quotes the key %j for the shell', (key, word) => {
    expect(redisCliLine(server, readCommand('string', bytes(key)))).toBe(
      `redis-cli -h 127.0.0.1 -p 6379 -n 3 --no-raw GET ${word}`,
    );
  });

  test('a key with a NUL goes through standard input, which the shell cannot cut', () => {
    expect(redisCliLine(server, readCommand('list', bytes("a\x00'")))).toBe(
      `printf '%s\\n' '"LRANGE" "a\\x00\\x27" "0" "-1"' | redis-cli -h 127.0.0.1 -p 6379 -n 3 --no-raw`,
    );
  });

  test('names the user and TLS, never a password', () => {
    const line = redisCliLine({ ...server, database: 0, tls: true, username: 'ops', cluster: true }, [
      'PING',
    ]);
    expect(line).toBe('redis-cli -h 127.0.0.1 -p 6379 --tls --user ops --askpass -c --no-raw PING');
  });
});

describe('readCommand', () => {
  test.each([
    ['string', 'GET'],
    ['hash', 'HGETALL'],
    ['list', 'LRANGE'],
    ['set', 'SMEMBERS'],
    ['zset', 'ZRANGE'],
    ['stream', 'XRANGE'],
    ['ReJSON-RL', 'TYPE'],
    [null, 'TYPE'],
  ])('reads a %s with %s', (type, command) => {
    expect(readCommand(type, bytes('k'))[0]).toBe(command);
  });
});
