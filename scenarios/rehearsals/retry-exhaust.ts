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
      rehearse: ({ link }) => ({
        change: {
          engine: { retry: '2s', idleTimeout: '1s' },
          incremental: '1s',
          timeline: [{ fault: 'blackhole', where: `link:${link}.target`, when: 'incremental', for: '8s' }],
        },
        outcome: { ...stops(), mayDiffer: ANY_DIFFERENCE },
      }),
    },
  ],
};
