/** The source comes back with the data it had a while ago. */
import { ANY_DIFFERENCE, stops, type Scenario } from './scenario.ts';

export const sourceOldSnapshot: Scenario = {
  name: 'source-old-snapshot',
  summary: 'The source comes back with the data it had a while ago.',
  row: 'failover.source',
  statements: ['S2-31'],
  variants: [
    {
      name: 'default',
      expects: 'The link stops and says that the target has writes which the source has lost.',
      rehearse: ({ source }) => ({
        change: { timeline: [{ fault: 'restart-old-snapshot', where: source, when: 'incremental' }] },
        outcome: { ...stops('SOURCE_REGRESSED'), mayDiffer: ANY_DIFFERENCE },
      }),
    },
  ],
};
