/** The target stays away for longer than the link is to try. */
import { ANY_DIFFERENCE, stops, type Scenario } from './scenario.ts';

export const retryExhaust: Scenario = {
  name: 'retry-exhaust',
  summary: 'The target stays away for longer than the link is to try.',
  row: 'retry.exhaust',
  statements: ['S0-50'],
  variants: [
    {
      name: 'default',
      expects: 'The link gives up and says for how long it has tried.',
      rehearse: ({ link, targetKind }) => ({
        change: {
          engine: { retry: '2s', idleTimeout: '1s', heartbeat: { interval: '200ms' } },
          incremental: '1s',
          // A look round a cluster takes some seconds per node; the run ends when the link has given up.
          timeline: [
            {
              fault: 'blackhole',
              where: `link:${link}.target`,
              when: 'incremental',
              for: targetKind === 'cluster' ? '40s' : '8s',
            },
          ],
        },
        outcome: { ...stops(), mayDiffer: ANY_DIFFERENCE },
      }),
    },
  ],
};
