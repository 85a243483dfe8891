/** The source goes silent while the connection looks alive. */
import { survives, type Scenario } from './scenario.ts';

export const netHalfclose: Scenario = {
  name: 'net-halfclose',
  summary: 'The source goes silent while the connection looks alive.',
  row: 'net.halfclose',
  statements: ['S2-28a'],
  variants: [
    {
      name: 'default',
      expects: 'The link notices by the silence, connects again, and continues.',
      rehearse: ({ link }) => ({
        change: {
          engine: { idleTimeout: '1s', heartbeat: { interval: '200ms' } },
          timeline: [
            { fault: 'half-open', where: `link:${link}.source`, when: 'incremental', for: '2500ms' },
          ],
        },
        outcome: survives(),
      }),
    },
  ],
};
