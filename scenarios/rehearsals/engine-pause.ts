/** The engine stands still for a while. */
import { survives, type Scenario } from './scenario.ts';

export const enginePause: Scenario = {
  name: 'engine-pause',
  summary: 'The engine stands still for a while.',
  row: 'pause.long',
  statements: ['S0-35'],
  variants: [
    {
      name: 'default',
      expects: 'It goes on where it was.',
      rehearse: ({ link }) => ({
        change: {
          timeline: [{ fault: 'engine-pause', where: `link:${link}`, when: 'incremental', for: '1500ms' }],
        },
        outcome: survives(),
      }),
    },
  ],
};
