/** The way to the target is narrow. */
import { survives, type Scenario } from './scenario.ts';

export const netThrottle: Scenario = {
  name: 'net-throttle',
  summary: 'The way to the target is narrow.',
  row: 'net.throttle',
  statements: ['S1-50'],
  variants: [
    {
      name: 'default',
      expects: 'What the source sends is kept until it has gone through; the source is not held up.',
      rehearse: ({ link }) => ({
        change: {
          timeline: [
            {
              fault: 'bandwidth',
              where: `link:${link}.target`,
              when: 'incremental',
              with: { rate: '64kb' },
              for: '1500ms',
            },
          ],
        },
        outcome: survives(),
      }),
    },
  ],
};
