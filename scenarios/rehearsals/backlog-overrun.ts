/** The link is cut while more is written than the backlog of the source holds. */
import { ANY_DIFFERENCE, copiedAgain, type Scenario } from './scenario.ts';

export const backlogOverrun: Scenario = {
  name: 'backlog-overrun',
  summary: 'The link is cut while more is written than the backlog of the source holds.',
  row: 'backlog.overrun',
  statements: ['S1-10', 'S2-28a'],
  variants: [
    {
      name: 'default',
      expects:
        'Everything is copied again, over what is there; what was deleted meanwhile is deleted. In a circle the link stops: a snapshot does not tell whose value is newer. A target that other links fill too keeps what was deleted.',
      rehearse: (subject) => ({
        change: {
          source: { config: { 'repl-backlog-size': '16kb' } },
          timeline: [{ fault: 'backlog-overflow', where: subject.source, when: 'incremental' }],
        },
        outcome: copiedAgain(subject),
      }),
    },
    {
      name: 'vendor',
      expects:
        'The snapshot is loaded over it; keys that were deleted meanwhile may stay. To a cluster in a circle nothing is copied a second time: the link stops.',
      rehearse: (subject) => ({
        change: {
          source: { config: { 'repl-backlog-size': '16kb' } },
          engine: { fullResync: 'reload' },
          timeline: [{ fault: 'backlog-overflow', where: subject.source, when: 'incremental' }],
        },
        outcome:
          subject.isCircle && subject.targetKind === 'cluster'
            ? copiedAgain(subject)
            : {
                verdict: ['pass', 'fail'],
                link: 'in-sync',
                findings: ['FULL_RESYNC'],
                mayDiffer: ANY_DIFFERENCE,
              },
      }),
    },
  ],
};
