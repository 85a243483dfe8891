/** Lua scripts: one effect, several, a failing inner call, and the same by digest. */
import { createHash } from 'node:crypto';
import type { Family } from './operation.ts';

const ONE_EFFECT = "return redis.call('INCRBY', KEYS[1], ARGV[1])";
const SEVERAL_EFFECTS = `
redis.call('HSET', KEYS[1], 'f1', ARGV[1])
redis.call('RPUSH', KEYS[2], ARGV[1])
redis.call('LTRIM', KEYS[2], -100, -1)
return redis.call('INCR', KEYS[3])`;
/** The first call takes effect although the second fails. */
const PARTLY_FAILING = `
redis.call('SET', KEYS[1], ARGV[1])
local failed = redis.pcall('LPUSH', KEYS[1], 'x')
return failed['err'] and 1 or 0`;
const DIGEST = createHash('sha1').update(SEVERAL_EFFECTS).digest('hex');

export const scriptFamily: Family = {
  name: 'script',
  summary: 'EVAL with one, several and partly failing effects, EVALSHA',
  operations: [
    {
      command: 'eval',
      weight: 2,
      build: (c) => c.emit('EVAL', ONE_EFFECT, 1, c.key('counter'), c.random.below(10)),
    },
    {
      command: 'eval',
      variant: 'several',
      weight: 2,
      build: (c) =>
        c.emit('EVAL', SEVERAL_EFFECTS, 3, c.key('hash'), c.key('list'), c.key('counter'), c.value()),
    },
    {
      command: 'eval',
      variant: 'partly failing',
      build: (c) => c.emit('EVAL', PARTLY_FAILING, 1, c.key('string'), 'text'),
    },
    {
      command: 'eval',
      variant: 'read',
      build: (c) => c.emit('EVAL', "return redis.call('GET', KEYS[1])", 1, c.key('string')),
    },
    {
      command: 'evalsha',
      weight: 2,
      uses: ['script'],
      build(c) {
        // Loaded each time: a server that was restarted or replaced has forgotten it.
        c.emit('SCRIPT', 'LOAD', SEVERAL_EFFECTS);
        c.emit('EVALSHA', DIGEST, 3, c.key('hash'), c.key('list'), c.key('counter'), c.value());
      },
    },
  ],
};
