/** The target holds back writes (CLIENT PAUSE). */
import { survives, type Scenario } from './scenario.ts';

export const targetWritePause: Scenario = {
  name: 'target-write-pause',
  summary: 'The target holds back writes (CLIENT PAUSE).',
  row: 'slow.destination',
  statements: [],
  variants: [
    {
      name: 'default',
      expects: 'The link waits and catches up.',
      rehearse: ({ target }) => ({
        change: { timeline: [{ fault: 'client-pause', where: target, when: 'incremental', for: '1s' }] },
        outcome: survives(),
      }),
    },
  ],
};
