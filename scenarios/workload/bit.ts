/** Bits of strings. */
import type { Family } from './operation.ts';

const BITS = 2048;

export const bitFamily: Family = {
  name: 'bit',
  summary: 'SETBIT, BITOP, BITFIELD',
  operations: [
    {
      command: 'setbit',
      weight: 3,
      build: (c) => c.emit('SETBIT', c.key('bits'), c.random.below(BITS), c.random.below(2)),
    },
    {
      command: 'bitop',
      build(c) {
        const [target = '', ...sources] = c.keys('bits', 3);
        c.emit('BITOP', c.random.pick(['AND', 'OR', 'XOR']), target, ...sources, target);
      },
    },
    {
      command: 'bitop',
      variant: 'not',
      build(c) {
        const [target = '', source = target] = c.keys('bits', 2);
        c.emit('BITOP', 'NOT', target, source);
      },
    },
    {
      command: 'bitfield',
      build(c) {
        const at = c.random.below(BITS / 16);
        c.emit(
          'BITFIELD',
          c.key('bits'),
          'SET',
          'u8',
          `#${at}`,
          c.random.below(256),
          'OVERFLOW',
          'SAT',
          'INCRBY',
          'i16',
          `#${at >> 1}`,
          c.random.between(-99, 99),
        );
      },
    },
  ],
};
