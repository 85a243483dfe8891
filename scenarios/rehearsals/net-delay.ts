/** Every byte from the source and to the target is late. */
import { survives, type Scenario } from './scenario.ts';

export const netDelay: Scenario = {
  name: 'net-delay',
  summary: 'Every byte from the source and to the target is late.',
  row: 'net.delay',
  statements: ['S1-50'],
  variants: [
    {
      name: 'default',
      expects: 'The target is behind by that much, and equal at the end.',
      rehearse: ({ link }) => ({
        change: {
          timeline: [
            {
              fault: 'latency',
              where: `link:${link}`,
              when: 'incremental',
              with: { latency: '60ms', jitter: '30ms' },
              for: '2s',
            },
          ],
        },
        outcome: survives(),
      }),
    },
  ],
};
