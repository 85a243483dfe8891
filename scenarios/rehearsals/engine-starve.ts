/** The engine gets a tenth of its time. */
import { survives, type Scenario } from './scenario.ts';

export const engineStarve: Scenario = {
  name: 'engine-starve',
  summary: 'The engine gets a tenth of its time, as on a machine that others keep busy.',
  row: 'pause.long',
  statements: ['S0-35'],
  variants: [
    {
      name: 'default',
      expects: 'It falls behind and catches up.',
      rehearse: ({ link }) => ({
        change: {
          timeline: [{ fault: 'engine-starve', where: `link:${link}`, when: 'incremental', for: '2s' }],
        },
        outcome: survives(),
      }),
    },
  ],
};
