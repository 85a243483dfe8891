/** Sets: integers and text, so that a set changes its encoding while it is written to. */
import type { Family, OperationContext } from './operation.ts';

const MEMBERS = 60;
const member = (c: OperationContext): string =>
  c.random.below(4) === 0 ? `m${c.random.below(MEMBERS)}` : `${c.random.below(MEMBERS)}`;

export const setsFamily: Family = {
  // Not `set`: in a mix that is the command SET.
  name: 'sets',
  summary: 'SADD, SREM, SPOP, SMOVE, S*STORE',
  operations: [
    { command: 'sadd', weight: 4, build: (c) => c.emit('SADD', c.key('set'), member(c), member(c)) },
    { command: 'srem', build: (c) => c.emit('SREM', c.key('set'), member(c)) },
    { command: 'spop', build: (c) => c.emit('SPOP', c.key('set')) },
    { command: 'spop', variant: 'count', since: '3.2', build: (c) => c.emit('SPOP', c.key('set'), 3) },
    {
      command: 'smove',
      uses: ['sadd'],
      build(c) {
        const [from = '', to = from] = c.keys('set', 2);
        const moved = member(c);
        c.emit('SADD', from, moved);
        c.emit('SMOVE', from, to, moved);
      },
    },
    { command: 'sinterstore', build: (c) => c.emit('SINTERSTORE', c.key('set'), ...c.keys('set', 2)) },
    { command: 'sunionstore', build: (c) => c.emit('SUNIONSTORE', c.key('set'), ...c.keys('set', 2)) },
    { command: 'sdiffstore', build: (c) => c.emit('SDIFFSTORE', c.key('set'), ...c.keys('set', 2)) },
  ],
};
