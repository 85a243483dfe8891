/** The primary of the target hands over to its replica. */
import { survives, type Scenario } from './scenario.ts';

export const failoverTarget: Scenario = {
  name: 'failover-target',
  summary: 'The primary of the target hands over to its replica.',
  row: 'failover.destination',
  statements: ['S2-17', 'S2-28b'],
  variants: [
    {
      name: 'default',
      expects: 'The link finds the new primary and goes on from what that one has.',
      rehearse: ({ target }) => ({
        change: {
          target: { replicas: 1 },
          timeline: [{ fault: 'failover', where: target, when: 'incremental' }],
        },
        outcome: survives('ENDPOINT_CHANGED'),
      }),
    },
  ],
};
