/** Strings and counters. */
import type { Family, OperationContext } from './operation.ts';

/** At least an hour, so that nothing expires within a rehearsal. */
export function longTtlSeconds({ random }: OperationContext): number {
  return random.between(3600, 86_400);
}

const TEXT_MAX = 200;

export const stringFamily: Family = {
  name: 'string',
  summary: 'SET in all its forms, APPEND, counters, several keys at once',
  operations: [
    { command: 'set', weight: 6, build: (c) => c.emit('SET', c.key('string'), c.value()) },
    { command: 'set', variant: 'nx', build: (c) => c.emit('SET', c.key('string'), c.value(), 'NX') },
    { command: 'set', variant: 'xx', build: (c) => c.emit('SET', c.key('string'), c.value(), 'XX') },
    {
      command: 'set',
      variant: 'keepttl',
      since: '6.0',
      build(c) {
        const key = c.key('string');
        c.emit('SET', key, c.value(), 'EX', longTtlSeconds(c));
        c.emit('SET', key, c.value(), 'KEEPTTL');
      },
    },
    {
      command: 'set',
      variant: 'ex',
      build: (c) => c.emit('SET', c.key('string'), c.value(), 'EX', longTtlSeconds(c)),
    },
    {
      command: 'set',
      variant: 'px',
      build: (c) => c.emit('SET', c.key('string'), c.value(), 'PX', longTtlSeconds(c) * 1000 + 1),
    },
    {
      command: 'set',
      variant: 'exat',
      since: '6.2',
      build: (c) =>
        c.emit('SET', c.key('string'), c.value(), 'EXAT', Math.floor(c.nowMs / 1000) + longTtlSeconds(c)),
    },
    {
      command: 'set',
      variant: 'pxat nx',
      since: '6.2',
      build: (c) =>
        c.emit('SET', c.key('string'), c.value(), 'NX', 'PXAT', c.nowMs + longTtlSeconds(c) * 1000),
    },
    {
      command: 'set',
      variant: 'get',
      since: '6.2',
      build: (c) => c.emit('SET', c.key('string'), c.value(), 'GET'),
    },
    { command: 'setnx', build: (c) => c.emit('SETNX', c.key('string'), c.value()) },
    { command: 'setex', build: (c) => c.emit('SETEX', c.key('string'), longTtlSeconds(c), c.value()) },
    {
      command: 'psetex',
      build: (c) => c.emit('PSETEX', c.key('string'), longTtlSeconds(c) * 1000, c.value()),
    },
    {
      command: 'append',
      weight: 2,
      uses: ['set'],
      build(c) {
        const key = c.key('string');
        if (c.random.below(16) === 0) c.emit('SET', key, 'short again');
        c.emit('APPEND', key, c.value());
      },
    },
    {
      command: 'setrange',
      build: (c) => c.emit('SETRANGE', c.key('string'), c.random.below(TEXT_MAX), c.value()),
    },
    { command: 'getset', build: (c) => c.emit('GETSET', c.key('string'), c.value()) },
    { command: 'getdel', build: (c) => c.emit('GETDEL', c.key('string')) },
    {
      command: 'getex',
      variant: 'ex',
      build: (c) => c.emit('GETEX', c.key('string'), 'EX', longTtlSeconds(c)),
    },
    { command: 'getex', variant: 'persist', build: (c) => c.emit('GETEX', c.key('string'), 'PERSIST') },
    {
      command: 'mset',
      weight: 2,
      build: (c) => c.emit('MSET', ...c.keys('string', 3).flatMap((key) => [key, c.value()])),
    },
    {
      command: 'msetnx',
      build: (c) => c.emit('MSETNX', ...c.keys('string', 2).flatMap((key) => [key, c.value()])),
    },
    { command: 'incr', weight: 2, build: (c) => c.emit('INCR', c.key('counter')) },
    { command: 'decr', build: (c) => c.emit('DECR', c.key('counter')) },
    { command: 'incrby', build: (c) => c.emit('INCRBY', c.key('counter'), c.random.between(-1000, 1000)) },
    { command: 'decrby', build: (c) => c.emit('DECRBY', c.key('counter'), c.random.between(-1000, 1000)) },
    {
      command: 'incrbyfloat',
      build: (c) => c.emit('INCRBYFLOAT', c.key('float'), (c.random.fraction() - 0.5).toFixed(6)),
    },
  ],
};
