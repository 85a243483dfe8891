/** Somebody else writes to the target and deletes from it. */
import { ANY_DIFFERENCE, type Rehearsal, type Scenario, type ScenarioSubject } from './scenario.ts';
import { whyUnwatched } from './unwatched.ts';

export const foreignWrite: Scenario = {
  name: 'foreign-write',
  summary: 'Somebody else writes to the target and deletes from it.',
  row: 'foreign.write',
  statements: ['S2-22'],
  variants: [
    {
      name: 'default',
      expects: 'It is found out and the keys are named.',
      rehearse: (subject) => whyUnwatched(subject) ?? rehearse(subject),
    },
  ],
};

function rehearse({ target }: ScenarioSubject): Rehearsal {
  return {
    change: {
      engine: { foreignWrites: 'report' },
      timeline: [{ fault: 'rogue-writer', where: target, when: 'incremental', delay: '1s' }],
    },
    outcome: {
      verdict: ['fail'],
      link: 'in-sync',
      findings: ['FOREIGN_WRITE', 'EXTRA_KEY'],
      differences: ['EXTRA_KEY'],
      mayDiffer: ANY_DIFFERENCE,
    },
  };
}
