/** Expired keys linger on the source because nobody touches them. */
import type { Scenario } from './scenario.ts';

export const expireStale: Scenario = {
  name: 'expire-stale',
  summary: 'Expired keys linger on the source because nobody touches them.',
  row: 'expire.stale',
  statements: ['S0-13'],
  variants: [
    {
      name: 'default',
      expects: 'Raw counts differ and are explained; what lives is equal.',
      rehearse: ({ sourceNode, keyPrefix }) => ({
        change: {
          workload: [],
          timeline: [
            {
              fault: 'script',
              where: sourceNode,
              when: { phase: 'settle' },
              with: {
                commands: [
                  'DEBUG SET-ACTIVE-EXPIRE 0',
                  `SET ${keyPrefix}stale:1 over PX 1`,
                  `SET ${keyPrefix}stale:2 over PX 1`,
                  `SET ${keyPrefix}stale:3 over PX 1`,
                ],
              },
            },
          ],
        },
        outcome: { verdict: ['pass'], link: 'in-sync', findings: [] },
      }),
    },
  ],
};
