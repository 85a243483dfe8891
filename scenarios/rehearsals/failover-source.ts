/** The primary of the source hands over to its replica. */
import { survives, type Scenario } from './scenario.ts';

export const failoverSource: Scenario = {
  name: 'failover-source',
  summary: 'The primary of the source hands over to its replica.',
  row: 'failover.source',
  statements: ['S0-1', 'S1-7', 'S1-32', 'S2-17', 'S2-28b'],
  variants: [
    {
      name: 'default',
      expects: 'The link finds the new primary and continues without a full copy.',
      rehearse: ({ source }) => ({
        change: {
          source: { replicas: 1 },
          timeline: [{ fault: 'failover', where: source, when: 'incremental' }],
          expect: [{ finding: 'FULL_RESYNC', count: 0 }],
        },
        outcome: survives('ENDPOINT_CHANGED'),
      }),
    },
  ],
};
