/** A replica of the source is promoted while the old primary goes on; later the old one follows and forgets its branch. */
import { ANY_DIFFERENCE, copiedAgain, stops, type Scenario } from './scenario.ts';

export const splitBrain: Scenario = {
  name: 'split-brain',
  summary:
    'A replica of the source is promoted while the old primary goes on; later the old one follows and forgets its branch.',
  row: 'failover.source',
  statements: ['S2-17'],
  variants: [
    {
      name: 'default',
      expects:
        'The target ends up with what the source ends up with: the discarded branch is taken back. In a circle the source is a target too, and lacks what it had confirmed: that link stops. A target that other links fill too keeps the branch’s keys.',
      rehearse: (subject) =>
        subject.sourceKind === 'cluster'
          ? { unfit: 'the nodes of a cluster agree who is the primary' }
          : {
              change: {
                source: { replicas: 1 },
                engine: { emptySource: 'follow' },
                timeline: [{ fault: 'split-brain', where: subject.source, when: 'incremental', for: '1s' }],
              },
              outcome: subject.isCircle
                ? { ...stops('NOT_DURABLE'), mayDiffer: ANY_DIFFERENCE }
                : copiedAgain(subject),
            },
    },
  ],
};
