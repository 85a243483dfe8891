/** The target cannot write its snapshots, as on a full disk, and refuses writes. */
import { survives, type Scenario } from './scenario.ts';

export const bgsaveFail: Scenario = {
  name: 'bgsave-fail',
  summary: 'The target cannot write its snapshots, as on a full disk, and refuses writes.',
  row: 'bgsave.fail',
  statements: [],
  variants: [
    {
      name: 'default',
      expects: 'The link waits, in order, until it can.',
      rehearse: ({ target }) => ({
        change: { timeline: [{ fault: 'bgsave-fail', where: target, when: 'incremental', for: '1s' }] },
        outcome: survives(),
      }),
    },
  ],
};
