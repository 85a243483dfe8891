/** Clients write while everything is copied. */
import { survives, type Scenario } from './scenario.ts';

export const loadFullsync: Scenario = {
  name: 'load-fullsync',
  summary: 'Clients write while everything is copied.',
  row: 'load.fullsync',
  statements: ['S0-9'],
  variants: [
    {
      name: 'default',
      expects: 'The copy and what came meanwhile are equal to the source at the end.',
      rehearse: ({ sourceNode, keyPrefix }) => ({
        change: {
          datasets: { keys: 8000 },
          writers: { rate: '1500/s', start: 'full-sync' },
          timeline: [
            {
              fault: 'script',
              where: sourceNode,
              when: { phase: 'full-sync' },
              with: { commands: [`SET ${keyPrefix}during-full-sync 1`] },
            },
          ],
        },
        outcome: survives(),
      }),
    },
  ],
};
