/** The engine is stopped in order and started again, twice, while clients write. */
import { survives, type Scenario } from './scenario.ts';

export const engineRestart: Scenario = {
  name: 'engine-restart',
  summary: 'The engine is stopped in order and started again.',
  row: 'engine.restart',
  statements: ['S0-6', 'S2-31'],
  variants: [
    {
      name: 'default',
      expects:
        'It has applied what it had received, and goes on from there by a partial resync: nothing is copied again, lost, or there twice.',
      rehearse: ({ link }) => ({
        change: {
          writers: { rate: '800/s', mix: { incr: 2, rpush: 2, append: 1, set: 1 } },
          incremental: '4s',
          timeline: [
            {
              fault: 'engine-restart',
              where: `link:${link}`,
              when: 'incremental',
              for: '300ms',
              every: '2s',
              times: 2,
            },
          ],
          expect: [
            { finding: 'FULL_RESYNC', count: 0 },
            { check: 'ledger', lost: 0, duplicated: 0 },
          ],
        },
        outcome: survives(),
      }),
    },
  ],
};
