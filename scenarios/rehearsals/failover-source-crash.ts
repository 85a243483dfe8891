/** The primary of the source dies, and its replica takes over. */
import { survives, type Scenario } from './scenario.ts';

export const failoverSourceCrash: Scenario = {
  name: 'failover-source-crash',
  summary: 'The primary of the source dies, and its replica takes over.',
  row: 'failover.source',
  statements: ['S1-7', 'S2-28b'],
  variants: [
    {
      name: 'default',
      expects: 'The link finds the new primary; where that was behind, it says what the source has lost.',
      rehearse: ({ source }) => ({
        change: {
          source: { replicas: 1 },
          // Clients lose a second or two: every kind of write must have worked all the same.
          incremental: '4s',
          timeline: [
            { fault: 'failover', where: source, when: 'incremental', with: { method: 'crash' }, for: '1s' },
          ],
        },
        outcome: survives('ENDPOINT_CHANGED'),
      }),
    },
  ],
};
