/** The primary of the source hands over to its replica. */
import { ANY_DIFFERENCE, stops, survives, type Scenario } from './scenario.ts';

const LOSSY = { ...stops('SOURCE_REGRESSED'), mayDiffer: ANY_DIFFERENCE };

export const failoverSource: Scenario = {
  name: 'failover-source',
  summary: 'The primary of the source hands over to its replica.',
  row: 'failover.source',
  statements: ['S0-1', 'S1-7', 'S1-32', 'S2-17', 'S2-28b'],
  variants: [
    {
      name: 'default',
      expects:
        'The link finds the new primary and continues without a full copy. Sentinels leave clients with the old primary for seconds: what it was given then is lost, and the link stops.',
      rehearse: ({ source, sourceKind }) => ({
        change: {
          source: { replicas: 1 },
          timeline: [{ fault: 'failover', where: source, when: 'incremental' }],
          expect: [{ finding: 'FULL_RESYNC', count: 0 }],
        },
        outcome: sourceKind === 'sentinel' ? LOSSY : survives('ENDPOINT_CHANGED'),
      }),
    },
  ],
};
