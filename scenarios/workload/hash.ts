/** Hashes. Fields `f…` hold any value, `n…` integers, `x…` floats. */
import type { Family, OperationContext } from './operation.ts';

const FIELDS = 40;
const field = (c: OperationContext, kind: 'f' | 'n' | 'x'): string => `${kind}${c.random.below(FIELDS)}`;

export const hashFamily: Family = {
  name: 'hash',
  summary: 'HSET with one and several fields, HINCRBY, HDEL',
  operations: [
    { command: 'hset', weight: 4, build: (c) => c.emit('HSET', c.key('hash'), field(c, 'f'), c.value()) },
    {
      command: 'hset',
      variant: 'several',
      since: '4.0',
      build: (c) =>
        c.emit('HSET', c.key('hash'), field(c, 'f'), c.value(), field(c, 'f'), c.value(), '', c.value()),
    },
    {
      command: 'hmset',
      build: (c) => c.emit('HMSET', c.key('hash'), field(c, 'f'), c.value(), field(c, 'f'), c.value()),
    },
    { command: 'hsetnx', build: (c) => c.emit('HSETNX', c.key('hash'), field(c, 'f'), c.value()) },
    {
      command: 'hincrby',
      build: (c) => c.emit('HINCRBY', c.key('hash'), field(c, 'n'), c.random.between(-50, 50)),
    },
    {
      command: 'hincrbyfloat',
      build: (c) =>
        c.emit('HINCRBYFLOAT', c.key('hash'), field(c, 'x'), (c.random.fraction() * 3).toFixed(4)),
    },
    { command: 'hdel', build: (c) => c.emit('HDEL', c.key('hash'), field(c, 'f'), field(c, 'n')) },
  ],
};
