/** A replica of the source is promoted while the old primary goes on; later the old one follows and forgets its branch. */
import { survives, type Scenario } from './scenario.ts';

export const splitBrain: Scenario = {
  name: 'split-brain',
  summary:
    'A replica of the source is promoted while the old primary goes on; later the old one follows and forgets its branch.',
  row: 'failover.source',
  statements: ['S2-17'],
  variants: [
    {
      name: 'default',
      expects: 'The target ends up with what the source ends up with: the discarded branch is taken back.',
      rehearse: ({ source }) => ({
        change: {
          source: { replicas: 1 },
          engine: { emptySource: 'follow' },
          timeline: [{ fault: 'split-brain', where: source, when: 'incremental', for: '1s' }],
        },
        outcome: survives('FULL_RESYNC'),
      }),
    },
  ],
};
