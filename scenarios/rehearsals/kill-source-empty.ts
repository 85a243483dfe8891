/** The source dies and comes back empty. */
import { ANY_DIFFERENCE, stops, survives, type Scenario } from './scenario.ts';

export const killSourceEmpty: Scenario = {
  name: 'kill-source-empty',
  summary: 'The source dies and comes back empty.',
  row: 'failover.source',
  statements: ['S2-31'],
  variants: [
    {
      name: 'default',
      expects: 'The link stops instead of replicating emptiness.',
      rehearse: ({ source }) => ({
        change: { timeline: [{ fault: 'kill', where: source, when: 'incremental', for: '300ms' }] },
        outcome: { ...stops('SOURCE_REGRESSED'), mayDiffer: ANY_DIFFERENCE },
      }),
    },
    {
      name: 'follow',
      expects: 'The target becomes as empty as the source, because the spec says so.',
      rehearse: ({ source }) => ({
        change: {
          engine: { emptySource: 'follow' },
          timeline: [{ fault: 'kill', where: source, when: 'incremental', for: '300ms' }],
        },
        outcome: survives('SOURCE_REGRESSED'),
      }),
    },
  ],
};
