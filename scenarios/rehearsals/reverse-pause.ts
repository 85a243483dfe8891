/** Of two links in a circle, the one back is suspended and resumed. */
import { survives, type Scenario } from './scenario.ts';

export const reversePause: Scenario = {
  name: 'reverse-pause',
  summary: 'Of links in a circle, the one that leads back is suspended by an operator, and resumed.',
  row: 'pause.reverse',
  statements: ['S0-35'],
  variants: [
    {
      name: 'default',
      expects: 'The other directions go on; what comes meanwhile is kept, and applied afterwards.',
      rehearse: ({ isCircle, lastLink }) =>
        isCircle
          ? {
              change: {
                timeline: [
                  { fault: 'link-suspend', where: `link:${lastLink}`, when: 'incremental', for: '1500ms' },
                ],
              },
              outcome: survives(),
            }
          : { unfit: 'no link leads back' },
    },
  ],
};
