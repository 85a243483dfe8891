/** The connection to the source breaks, again and again, also in the middle of the snapshot. */
import { survives, type Scenario } from './scenario.ts';

export const netCut: Scenario = {
  name: 'net-cut',
  summary: 'The connection to the source breaks, again and again, also in the middle of the snapshot.',
  row: 'net.cut',
  statements: ['S0-50', 'S2-28a'],
  variants: [
    {
      name: 'default',
      expects: 'The link reconnects and goes on; a snapshot that was cut is never taken for a whole one.',
      rehearse: ({ link, isCircle, isTargetShared }) => ({
        change: {
          timeline: [
            {
              id: 'snapshot',
              fault: 'limit-data',
              where: `link:${link}.source`,
              when: { proxy: `link:${link}.source`, bytes: '64kb' },
              with: { bytes: '16kb' },
              for: '300ms',
            },
            {
              id: 'stream',
              fault: 'reset-peer',
              where: `link:${link}.source`,
              when: 'incremental',
              for: '300ms',
            },
          ],
        },
        // Of a target with clients or links of its own nothing is removed: a key that was deleted between both copies may stay.
        outcome: isCircle || isTargetShared ? survives('FULL_RESYNC') : survives(),
      }),
    },
  ],
};
