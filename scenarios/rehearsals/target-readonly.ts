/** The target becomes read-only for a while. */
import { survives, type Scenario } from './scenario.ts';

export const targetReadonly: Scenario = {
  name: 'target-readonly',
  summary: 'The target becomes read-only for a while.',
  row: 'failover.destination',
  statements: ['S2-17'],
  variants: [
    {
      name: 'default',
      expects: 'The link waits for a primary.',
      rehearse: ({ target, targetKind }) =>
        targetKind === 'cluster'
          ? { unfit: 'the nodes of a cluster agree who is the primary' }
          : {
              change: { timeline: [{ fault: 'read-only', where: target, when: 'incremental', for: '1s' }] },
              outcome: survives(),
            },
    },
  ],
};
