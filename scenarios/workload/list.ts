/** Lists. What pushes also trims now and then, so that a long run stays bounded. */
import type { Family, OperationContext } from './operation.ts';

const LENGTH_MAX = 120;

/** A push, now and then followed by a trim. Returns the key, which then has at least one element. */
function push(c: OperationContext, command: 'LPUSH' | 'RPUSH', elements = 1): string {
  const key = c.key('list');
  c.emit(command, key, ...Array.from({ length: elements }, () => c.value()));
  if (c.random.below(24) === 0) c.emit('LTRIM', key, -LENGTH_MAX, -1);
  return key;
}

export const listFamily: Family = {
  name: 'list',
  summary: 'pushes, pops (blocking ones with data present), moves, LINSERT, LREM, LSET, LTRIM, SORT … STORE',
  operations: [
    { command: 'lpush', weight: 3, uses: ['ltrim'], build: (c) => void push(c, 'LPUSH') },
    { command: 'rpush', weight: 3, uses: ['ltrim'], build: (c) => void push(c, 'RPUSH') },
    { command: 'rpush', variant: 'several', uses: ['ltrim'], build: (c) => void push(c, 'RPUSH', 5) },
    { command: 'lpushx', build: (c) => c.emit('LPUSHX', c.key('list'), c.value()) },
    { command: 'rpushx', build: (c) => c.emit('RPUSHX', c.key('list'), c.value()) },
    { command: 'lpop', weight: 2, build: (c) => c.emit('LPOP', c.key('list')) },
    { command: 'rpop', weight: 2, build: (c) => c.emit('RPOP', c.key('list')) },
    { command: 'lpop', variant: 'count', since: '6.2', build: (c) => c.emit('LPOP', c.key('list'), 3) },
    { command: 'blpop', uses: ['rpush', 'ltrim'], build: (c) => c.emit('BLPOP', push(c, 'RPUSH'), 1) },
    { command: 'brpop', uses: ['rpush', 'ltrim'], build: (c) => c.emit('BRPOP', push(c, 'RPUSH'), 1) },
    {
      command: 'linsert',
      uses: ['rpush'],
      build(c) {
        const key = c.key('list');
        c.emit('RPUSH', key, 'pivot');
        c.emit('LINSERT', key, c.random.pick(['BEFORE', 'AFTER']), 'pivot', c.value());
      },
    },
    { command: 'lrem', build: (c) => c.emit('LREM', c.key('list'), c.random.between(-2, 2), 'pivot') },
    {
      command: 'lset',
      uses: ['rpush', 'ltrim'],
      build: (c) => c.emit('LSET', push(c, 'RPUSH'), c.random.pick([0, -1]), c.value()),
    },
    { command: 'ltrim', build: (c) => c.emit('LTRIM', c.key('list'), 0, c.random.below(LENGTH_MAX)) },
    {
      command: 'lmove',
      build: (c) =>
        c.emit(
          'LMOVE',
          c.key('list'),
          c.key('list'),
          c.random.pick(['LEFT', 'RIGHT']),
          c.random.pick(['LEFT', 'RIGHT']),
        ),
    },
    { command: 'rpoplpush', build: (c) => c.emit('RPOPLPUSH', c.key('list'), c.key('list')) },
    {
      command: 'brpoplpush',
      uses: ['lpush', 'ltrim'],
      build: (c) => c.emit('BRPOPLPUSH', push(c, 'LPUSH'), c.key('list'), 1),
    },
    {
      command: 'blmove',
      uses: ['lpush', 'ltrim'],
      build: (c) => c.emit('BLMOVE', push(c, 'LPUSH'), c.key('list'), 'LEFT', 'RIGHT', 1),
    },
    {
      command: 'lmpop',
      build(c) {
        const keys = c.keys('list', 2);
        c.emit('LMPOP', keys.length, ...keys, c.random.pick(['LEFT', 'RIGHT']), 'COUNT', 2);
      },
    },
    {
      command: 'blmpop',
      uses: ['rpush', 'ltrim'],
      build: (c) => c.emit('BLMPOP', 1, 1, push(c, 'RPUSH', 2), 'RIGHT', 'COUNT', 2),
    },
    {
      command: 'sort',
      variant: 'store',
      uses: ['rpush', 'ltrim'],
      build(c) {
        const key = c.key('numbers');
        c.emit('RPUSH', key, c.random.below(1000), c.random.below(1000));
        c.emit('LTRIM', key, -LENGTH_MAX, -1);
        c.emit('SORT', key, 'LIMIT', 0, 20, 'DESC', 'STORE', c.key('sorted'));
      },
    },
  ],
};
