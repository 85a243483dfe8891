/** Nothing comes through to the target for a while, and nobody says so. */
import { survives, type Scenario } from './scenario.ts';

export const netBlackhole: Scenario = {
  name: 'net-blackhole',
  summary: 'Nothing comes through to the target for a while, and nobody says so.',
  row: 'net.blackhole',
  statements: ['S2-28a'],
  variants: [
    {
      name: 'default',
      expects: 'The link notices, waits, and goes on; nothing is lost and nothing comes twice.',
      rehearse: ({ link }) => ({
        change: {
          engine: { idleTimeout: '1s', heartbeat: { interval: '200ms' } },
          timeline: [{ fault: 'blackhole', where: `link:${link}.target`, when: 'incremental', for: '2s' }],
        },
        outcome: survives(),
      }),
    },
  ],
};
