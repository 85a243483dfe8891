/** Somebody flushes the target. */
import { ANY_DIFFERENCE, stops, type Scenario } from './scenario.ts';

export const targetFlush: Scenario = {
  name: 'target-flush',
  summary: 'Somebody flushes the target.',
  row: 'foreign.write',
  statements: ['S2-22'],
  variants: [
    {
      name: 'default',
      expects:
        'The link cannot heal that by its stream: it stops, because what the target had confirmed is gone.',
      rehearse: ({ target, isCircle }) =>
        isCircle
          ? { unfit: 'the target is a source too: its flush is one of a source (flush-source)' }
          : {
              change: { timeline: [{ fault: 'flush', where: target, when: 'incremental' }] },
              outcome: { ...stops('NOT_DURABLE'), mayDiffer: ANY_DIFFERENCE },
            },
    },
  ],
};
