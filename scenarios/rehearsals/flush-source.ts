/** FLUSHALL is run on the source. */
import { ANY_DIFFERENCE, stops, survives, type Scenario } from './scenario.ts';

export const flushSource: Scenario = {
  name: 'flush-source',
  summary: 'FLUSHALL is run on the source.',
  row: 'flushall.source',
  statements: ['S0-10'],
  variants: [
    {
      name: 'default',
      expects: 'The link stops at the command and says where it is.',
      rehearse: ({ source }) => ({
        change: {
          engine: { flush: 'fail' },
          timeline: [{ fault: 'flush', where: source, when: 'incremental' }],
        },
        outcome: { ...stops('FLUSH'), mayDiffer: ANY_DIFFERENCE },
      }),
    },
    {
      name: 'vendor',
      expects:
        'The command is left out: the target keeps what the source has not any more, and the difference is named. In a circle the link back stops, for its checkpoint is gone.',
      rehearse: ({ source, isCircle }) => ({
        change: {
          engine: { flush: 'ignore' },
          timeline: [{ fault: 'flush', where: source, when: 'incremental' }],
        },
        outcome: isCircle
          ? // It is a target too, and its link back finds that what it had confirmed is gone.
            { ...stops('FLUSH', 'NOT_DURABLE'), mayDiffer: ANY_DIFFERENCE }
          : {
              verdict: ['fail'],
              link: 'in-sync',
              findings: ['FLUSH', 'EXTRA_KEY'],
              differences: ['EXTRA_KEY'],
              mayDiffer: ANY_DIFFERENCE,
            },
      }),
    },
    {
      name: 'propagate',
      expects: 'The target is emptied as well, and is equal.',
      rehearse: ({ source, others }) =>
        others.length > 0
          ? { unfit: 'the target has data of other links, which a flush must not reach' }
          : {
              change: {
                engine: { flush: 'propagate' },
                timeline: [{ fault: 'flush', where: source, when: 'incremental' }],
              },
              outcome: survives('FLUSH'),
            },
    },
  ],
};
