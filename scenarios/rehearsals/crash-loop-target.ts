/** The target dies and comes back several times, with its data. */
import { survives, type Scenario } from './scenario.ts';

export const crashLoopTarget: Scenario = {
  name: 'crash-loop-target',
  summary: 'The target dies and comes back several times, with its data.',
  row: 'failover.destination',
  statements: ['S2-28b'],
  variants: [
    {
      name: 'default',
      expects: 'The link goes on from what the target says that it has.',
      rehearse: ({ target }) => ({
        change: {
          engine: { idleTimeout: '1s', heartbeat: { interval: '200ms' } },
          timeline: [
            {
              fault: 'crash-loop',
              where: target,
              when: 'incremental',
              with: { deaths: 2, up: '400ms' },
              for: '100ms',
            },
          ],
        },
        outcome: survives(),
      }),
    },
  ],
};
