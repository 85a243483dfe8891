/** Everything is copied a second time while there are lists on the target. */
import { survives, type Scenario } from './scenario.ts';

export const listResend: Scenario = {
  name: 'list-resend',
  summary: 'Everything is copied a second time while there are lists on the target.',
  row: 'list.resend',
  statements: ['S0-30'],
  variants: [
    {
      name: 'default',
      expects: 'Lists are replaced, never appended to.',
      rehearse: ({ source }) => ({
        change: {
          timeline: [{ fault: 'replid-change', where: source, when: 'incremental' }],
          writers: { rate: '300/s', mix: { rpush: 3, lpop: 1 } },
          expect: [{ finding: 'LIST_DUPLICATED', count: 0 }],
        },
        outcome: survives('FULL_RESYNC'),
      }),
    },
  ],
};
