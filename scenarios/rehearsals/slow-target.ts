/** The target is busy with slow commands. */
import { survives, type Scenario } from './scenario.ts';

export const slowTarget: Scenario = {
  name: 'slow-target',
  summary: 'The target is busy with slow commands.',
  row: 'slow.destination',
  statements: [],
  variants: [
    {
      name: 'default',
      expects: 'The link waits and catches up.',
      rehearse: ({ target }) => ({
        change: {
          timeline: [
            {
              fault: 'slow-command',
              where: target,
              when: 'incremental',
              with: { time: '700ms' },
              every: '1s',
              times: 2,
            },
          ],
        },
        outcome: survives(),
      }),
    },
  ],
};
