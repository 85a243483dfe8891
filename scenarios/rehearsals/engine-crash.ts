/** The engine is killed in the full sync and in the stream. */
import { survives, type Scenario } from './scenario.ts';

export const engineCrash: Scenario = {
  name: 'engine-crash',
  summary: 'The engine is killed in the full sync and in the stream.',
  row: 'engine.crash',
  statements: ['S0-6', 'S2-31'],
  variants: [
    {
      name: 'default',
      expects: 'It goes on where the target says that it was: nothing lost, nothing twice.',
      rehearse: ({ link }) => ({
        change: {
          writers: { rate: '800/s', mix: { incr: 2, rpush: 2, append: 1, set: 1 } },
          timeline: [
            {
              id: 'early',
              fault: 'engine-kill',
              where: `link:${link}`,
              when: { link, phase: 'full-sync' },
              for: '100ms',
            },
            {
              id: 'late',
              fault: 'engine-kill',
              where: `link:${link}`,
              when: { link, phase: 'incremental' },
              delay: '700ms',
              for: '200ms',
            },
          ],
        },
        outcome: survives(),
      }),
    },
  ],
};
