/** The target loads its data again and answers LOADING. */
import { survives, type Scenario } from './scenario.ts';

export const targetLoading: Scenario = {
  name: 'target-loading',
  summary: 'The target loads its data again and answers LOADING.',
  row: 'slow.destination',
  statements: ['S2-28b'],
  variants: [
    {
      name: 'default',
      expects: 'The link waits until it is done.',
      rehearse: ({ target }) => ({
        change: { timeline: [{ fault: 'loading', where: target, when: 'incremental' }] },
        outcome: survives(),
      }),
    },
  ],
};
