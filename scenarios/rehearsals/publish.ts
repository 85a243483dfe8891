/** Messages are published at the source. */
import { survives, type Scenario } from './scenario.ts';

export const publish: Scenario = {
  name: 'publish',
  summary: 'Messages are published at the source.',
  row: 'publish',
  statements: ['S0-28', 'S1-25'],
  variants: [
    {
      name: 'default',
      expects: 'None is delivered at the target, and each is counted.',
      rehearse: ({ source }) => ({
        change: {
          timeline: [
            {
              fault: 'script',
              where: source,
              when: 'incremental',
              with: { commands: ['PUBLISH news one', 'PUBLISH news two'] },
            },
          ],
        },
        outcome: survives(),
      }),
    },
  ],
};
