/** The target is out of memory and evicts nothing. */
import { ANY_DIFFERENCE, stops, survives, type Scenario } from './scenario.ts';

export const oomTarget: Scenario = {
  name: 'oom-target',
  summary: 'The target is out of memory and evicts nothing.',
  row: 'oom.destination',
  statements: ['S0-12', 'S1-3'],
  variants: [
    {
      name: 'default',
      expects: 'The link waits, in order, until there is memory again; nothing is lost.',
      rehearse: ({ target }) => ({
        change: { timeline: [{ fault: 'target-oom', where: target, when: 'incremental', for: '1s' }] },
        outcome: survives('OOM'),
      }),
    },
    {
      name: 'vendor',
      expects: 'The task stops and can be resumed; nothing was skipped.',
      rehearse: ({ target }) => ({
        change: {
          engine: { oom: 'fail' },
          timeline: [{ fault: 'target-oom', where: target, when: 'incremental' }],
        },
        outcome: { ...stops('OOM'), mayDiffer: ANY_DIFFERENCE },
      }),
    },
  ],
};
