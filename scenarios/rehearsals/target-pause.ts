/** The target stands still for a while. */
import { survives, type Scenario } from './scenario.ts';

export const targetPause: Scenario = {
  name: 'target-pause',
  summary: 'The target stands still for a while.',
  row: 'slow.destination',
  statements: [],
  variants: [
    {
      name: 'default',
      expects: 'The source is read on, what it sends is kept, and applied when the target is back.',
      rehearse: ({ target }) => ({
        change: { timeline: [{ fault: 'pause', where: target, when: 'incremental', for: '1500ms' }] },
        outcome: survives(),
      }),
    },
  ],
};
