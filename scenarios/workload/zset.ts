/** Sorted sets. `scores` keys hold infinities and other special scores and are never added to (inf - inf is an error). */
import { SPECIAL_SCORES } from '../data/zset.ts';
import type { Family, OperationContext } from './operation.ts';

const MEMBERS = 60;
const member = (c: OperationContext): string => `m${c.random.below(MEMBERS)}`;

function score(c: OperationContext): string {
  return c.random.below(2) === 0
    ? String(c.random.between(-500, 500))
    : ((c.random.fraction() - 0.5) * 1e4).toPrecision(17);
}

/** A ZADD of one finite score; returns the key, which then is not empty. */
function add(c: OperationContext): string {
  const key = c.key('zset');
  c.emit('ZADD', key, score(c), member(c));
  return key;
}

export const zsetFamily: Family = {
  name: 'zset',
  summary: 'ZADD with every flag, ZINCRBY, removals by rank, score and name, pops, Z*STORE',
  operations: [
    {
      command: 'zadd',
      weight: 4,
      build: (c) => c.emit('ZADD', c.key('zset'), score(c), member(c), score(c), member(c)),
    },
    {
      command: 'zadd',
      variant: 'special',
      build: (c) => c.emit('ZADD', c.key('scores'), c.random.pick(SPECIAL_SCORES), member(c)),
    },
    {
      command: 'zadd',
      variant: 'nx',
      build: (c) => c.emit('ZADD', c.key('zset'), 'NX', score(c), member(c)),
    },
    {
      command: 'zadd',
      variant: 'xx ch',
      build: (c) => c.emit('ZADD', c.key('zset'), 'XX', 'CH', score(c), member(c)),
    },
    {
      command: 'zadd',
      variant: 'gt',
      since: '6.2',
      build: (c) => c.emit('ZADD', c.key('zset'), 'GT', score(c), member(c)),
    },
    {
      command: 'zadd',
      variant: 'lt',
      since: '6.2',
      build: (c) => c.emit('ZADD', c.key('zset'), 'LT', 'CH', score(c), member(c)),
    },
    {
      command: 'zadd',
      variant: 'incr',
      build: (c) => c.emit('ZADD', c.key('zset'), 'INCR', score(c), member(c)),
    },
    { command: 'zincrby', weight: 2, build: (c) => c.emit('ZINCRBY', c.key('zset'), score(c), member(c)) },
    { command: 'zrem', build: (c) => c.emit('ZREM', c.key('zset'), member(c), member(c)) },
    {
      command: 'zremrangebyrank',
      build: (c) => c.emit('ZREMRANGEBYRANK', c.key('zset'), 0, c.random.below(3)),
    },
    { command: 'zremrangebyscore', build: (c) => c.emit('ZREMRANGEBYSCORE', c.key('zset'), '(100', '150') },
    { command: 'zremrangebylex', build: (c) => c.emit('ZREMRANGEBYLEX', c.key('zset'), '[m10', '(m12') },
    { command: 'zpopmin', build: (c) => c.emit('ZPOPMIN', c.key('zset'), 2) },
    { command: 'zpopmax', build: (c) => c.emit('ZPOPMAX', c.key('zset')) },
    { command: 'bzpopmin', uses: ['zadd'], build: (c) => c.emit('BZPOPMIN', add(c), 1) },
    { command: 'bzpopmax', uses: ['zadd'], build: (c) => c.emit('BZPOPMAX', add(c), 1) },
    { command: 'zmpop', build: (c) => c.emit('ZMPOP', 1, c.key('zset'), 'MAX', 'COUNT', 2) },
    { command: 'bzmpop', uses: ['zadd'], build: (c) => c.emit('BZMPOP', 1, 1, add(c), 'MIN') },
    { command: 'zrangestore', build: (c) => c.emit('ZRANGESTORE', c.key('zset'), c.key('zset'), 0, 20) },
    {
      command: 'zunionstore',
      build: (c) =>
        c.emit(
          'ZUNIONSTORE',
          c.key('zset'),
          2,
          c.key('zset'),
          c.key('set'),
          'WEIGHTS',
          1,
          2,
          'AGGREGATE',
          'MAX',
        ),
    },
    {
      command: 'zinterstore',
      build: (c) => c.emit('ZINTERSTORE', c.key('zset'), 2, c.key('zset'), c.key('zset'), 'AGGREGATE', 'MIN'),
    },
    {
      command: 'zdiffstore',
      build: (c) => c.emit('ZDIFFSTORE', c.key('zset'), 2, c.key('zset'), c.key('zset')),
    },
  ],
};
