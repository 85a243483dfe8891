/** Expired keys linger on the source because nobody touches them. */
import type { Scenario } from './scenario.ts';

/** A tag whose slot (19) belongs to the first shard of any cluster. */
const FIRST_SHARD = 's7o';

export const expireStale: Scenario = {
  name: 'expire-stale',
  summary: 'Expired keys linger on the source because nobody touches them.',
  row: 'expire.stale',
  statements: ['S0-13'],
  variants: [
    {
      name: 'default',
      expects: 'Raw counts differ and are explained; what lives is equal.',
      rehearse: ({ source, sourceKind, keyPrefix }) => ({
        change: {
          workload: [],
          timeline: [
            {
              fault: 'script',
              where: sourceKind === 'cluster' ? `${source}.shard(0)` : source,
              when: { phase: 'settle' },
              with: {
                commands: [
                  'DEBUG SET-ACTIVE-EXPIRE 0',
                  `SET ${keyPrefix}{${FIRST_SHARD}}stale:1 over PX 1`,
                  `SET ${keyPrefix}{${FIRST_SHARD}}stale:2 over PX 1`,
                  `SET ${keyPrefix}{${FIRST_SHARD}}stale:3 over PX 1`,
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
