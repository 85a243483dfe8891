/** The source stands still for a while. */
import { survives, type Scenario } from './scenario.ts';

export const sourcePause: Scenario = {
  name: 'source-pause',
  summary: 'The source stands still for a while.',
  row: 'net.halfclose',
  statements: ['S2-28a'],
  variants: [
    {
      name: 'default',
      expects: 'The link notices by the silence and continues.',
      rehearse: ({ source }) => ({
        change: {
          engine: { idleTimeout: '1s', heartbeat: { interval: '200ms' } },
          timeline: [{ fault: 'pause', where: source, when: 'incremental', for: '2s' }],
        },
        outcome: survives(),
      }),
    },
  ],
};
