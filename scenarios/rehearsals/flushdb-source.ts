/** FLUSHDB is run on one database of the source. */
import { ANY_DIFFERENCE, stops, type Scenario } from './scenario.ts';

export const flushdbSource: Scenario = {
  name: 'flushdb-source',
  summary: 'FLUSHDB is run on one database of the source.',
  row: 'flushdb.source',
  statements: ['S0-10'],
  variants: [
    {
      name: 'default',
      expects: 'The link stops at the command and says which database.',
      rehearse: ({ source }) => ({
        change: {
          engine: { flush: 'fail' },
          timeline: [
            { fault: 'flush', where: source, when: 'incremental', with: { command: 'flushdb', database: 0 } },
          ],
        },
        outcome: { ...stops('FLUSH'), mayDiffer: ANY_DIFFERENCE },
      }),
    },
    {
      name: 'vendor',
      expects:
        'The command is left out; the keys it left behind are named. In a circle the link back stops, for its checkpoint is gone.',
      rehearse: ({ source, isCircle }) => ({
        change: {
          engine: { flush: 'ignore' },
          timeline: [
            { fault: 'flush', where: source, when: 'incremental', with: { command: 'flushdb', database: 0 } },
          ],
        },
        outcome: isCircle
          ? // Its database 0 had the checkpoint of the link back.
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
  ],
};
