/** The target fails over to a replica that was behind. */
import { ANY_DIFFERENCE, stops, type Scenario } from './scenario.ts';

export const failoverTargetLossy: Scenario = {
  name: 'failover-target-lossy',
  summary: 'The target fails over to a replica that was behind.',
  row: 'failover.destination-lossy',
  statements: ['S2-19'],
  variants: [
    {
      name: 'default',
      expects: 'The link stops: the tail that the target had confirmed is gone from it, and is named.',
      rehearse: ({ target, targetKind }) =>
        targetKind === 'cluster' || targetKind === 'sentinel'
          ? { unfit: `a ${targetKind} promotes whom it likes` }
          : {
              change: {
                target: { replicas: 1 },
                timeline: [
                  {
                    fault: 'failover',
                    where: target,
                    when: 'incremental',
                    with: { method: 'behind' },
                    for: '300ms',
                  },
                ],
              },
              outcome: { ...stops('NOT_DURABLE'), mayDiffer: ANY_DIFFERENCE },
            },
    },
  ],
};
