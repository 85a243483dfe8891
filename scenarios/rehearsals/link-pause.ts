/** The link is suspended by an operator, and resumed. */
import { survives, type Scenario } from './scenario.ts';

export const linkPause: Scenario = {
  name: 'link-pause',
  summary: 'The link is suspended by an operator, and resumed.',
  row: 'pause.long',
  statements: ['S0-35'],
  variants: [
    {
      name: 'default',
      expects: 'What comes meanwhile is kept, and applied afterwards.',
      rehearse: ({ link }) => ({
        change: {
          timeline: [{ fault: 'link-suspend', where: `link:${link}`, when: 'incremental', for: '1500ms' }],
        },
        outcome: survives(),
      }),
    },
  ],
};
