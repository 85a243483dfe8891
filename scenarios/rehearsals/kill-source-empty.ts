/** The source dies and comes back empty. */
import { ANY_DIFFERENCE, stops, survives, type Scenario, type ScenarioOutcome } from './scenario.ts';

/** Nothing is removed from a target that other links fill too, and that is said. */
const KEPT: ScenarioOutcome = {
  verdict: ['pass', 'fail'],
  link: 'in-sync',
  findings: ['SOURCE_REGRESSED', 'FULL_RESYNC'],
  mayDiffer: ANY_DIFFERENCE,
};

/** The source is a target too, and has lost what it had confirmed: its link back stops. */
const IN_CIRCLE: ScenarioOutcome = {
  ...stops('SOURCE_REGRESSED', 'NOT_DURABLE'),
  mayDiffer: ANY_DIFFERENCE,
};

export const killSourceEmpty: Scenario = {
  name: 'kill-source-empty',
  summary: 'The source dies and comes back empty.',
  row: 'failover.source',
  statements: ['S2-31'],
  variants: [
    {
      name: 'default',
      expects: 'The link stops instead of replicating emptiness.',
      rehearse: ({ source }) => ({
        change: {
          // Clients must not have filled it again when the link comes back.
          writers: { rate: '40/s' },
          timeline: [{ fault: 'kill', where: source, when: 'incremental', for: '300ms' }],
        },
        outcome: { ...stops('SOURCE_REGRESSED'), mayDiffer: ANY_DIFFERENCE },
      }),
    },
    {
      name: 'follow',
      expects:
        'The target becomes as empty as the source, because the spec says so; one that other links fill too keeps its keys. In a circle the link back stops, for its checkpoint is gone.',
      rehearse: ({ source, isCircle, isTargetShared }) => ({
        change: {
          writers: { rate: '40/s' },
          // So few: every kind of write must have worked all the same.
          incremental: '6s',
          engine: { emptySource: 'follow' },
          timeline: [{ fault: 'kill', where: source, when: 'incremental', for: '300ms' }],
        },
        outcome: isCircle ? IN_CIRCLE : isTargetShared ? KEPT : survives('SOURCE_REGRESSED'),
      }),
    },
  ],
};
