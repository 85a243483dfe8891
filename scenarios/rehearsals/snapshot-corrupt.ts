/** A bit of the snapshot is wrong when it arrives. */
import { ANY_DIFFERENCE, type Scenario } from './scenario.ts';

export const snapshotCorrupt: Scenario = {
  name: 'snapshot-corrupt',
  summary: 'A bit of the snapshot is wrong when it arrives.',
  row: 'net.cut',
  statements: ['S2-28a'],
  variants: [
    {
      name: 'default',
      expects:
        'The checksum tells: the snapshot is not applied as if it were whole, and nothing is called complete.',
      rehearse: ({ link }) => ({
        change: {
          timeline: [
            {
              fault: 'corrupt',
              where: `link:${link}.source`,
              when: { proxy: `link:${link}.source`, bytes: '32kb' },
              with: { at: '8kb' },
            },
          ],
        },
        outcome: {
          verdict: ['pass', 'fail', 'unknown'],
          link: 'failed',
          findings: [],
          mayDiffer: ANY_DIFFERENCE,
        },
      }),
    },
  ],
};
