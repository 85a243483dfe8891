/** The target wants replicas that it has not. */
import { survives, type Scenario } from './scenario.ts';

export const noReplicas: Scenario = {
  name: 'no-replicas',
  summary: 'The target wants replicas that it has not.',
  row: 'noreplicas',
  statements: ['S2-19'],
  variants: [
    {
      name: 'default',
      expects: 'The link waits, in order.',
      rehearse: ({ target }) => ({
        change: { timeline: [{ fault: 'no-replicas', where: target, when: 'incremental', for: '1s' }] },
        outcome: survives(),
      }),
    },
  ],
};
