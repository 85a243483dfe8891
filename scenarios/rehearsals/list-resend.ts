/** Everything is copied a second time while there are lists on the target. */
import { copiedAgain, type Scenario } from './scenario.ts';

export const listResend: Scenario = {
  name: 'list-resend',
  summary: 'Everything is copied a second time while there are lists on the target.',
  row: 'list.resend',
  statements: ['S0-30'],
  variants: [
    {
      name: 'default',
      expects:
        'Lists are replaced, never appended to. In a circle the link stops: a snapshot does not tell whose value is newer. A target that other links fill too keeps what was deleted.',
      rehearse: (subject) => ({
        change: {
          timeline: [{ fault: 'replid-change', where: subject.source, when: 'incremental' }],
          writers: { rate: '300/s', mix: { rpush: 3, lpop: 1 } },
          expect: [{ finding: 'LIST_DUPLICATED', count: 0 }],
        },
        outcome: copiedAgain(subject),
      }),
    },
  ],
};
