/** A script on the target does not end. */
import { survives, type Scenario } from './scenario.ts';

export const busyScript: Scenario = {
  name: 'busy-script',
  summary: 'A script on the target does not end.',
  row: 'busy.script',
  statements: [],
  variants: [
    {
      name: 'default',
      expects: 'The link waits for BUSY to be over.',
      rehearse: ({ target }) => ({
        change: { timeline: [{ fault: 'busy-script', where: target, when: 'incremental', for: '1s' }] },
        outcome: survives(),
      }),
    },
  ],
};
