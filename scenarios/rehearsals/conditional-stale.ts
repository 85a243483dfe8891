/** The target has an old value when conditional commands come (SETNX, SET XX, EXPIRE GT, COPY). */
import type { Rehearsal, Scenario, ScenarioSubject } from './scenario.ts';
import { whyUnwatched } from './unwatched.ts';

export const conditionalStale: Scenario = {
  name: 'conditional-stale',
  summary: 'The target has an old value when conditional commands come (SETNX, SET XX, EXPIRE GT, COPY).',
  row: 'conditional.stale',
  statements: ['S0-26'],
  variants: [
    {
      name: 'default',
      expects: 'Their conditions held at the source and are left out: the data is equal.',
      rehearse: (subject) => whyUnwatched(subject) ?? rehearse(subject),
    },
  ],
};

function rehearse({ source, target }: ScenarioSubject): Rehearsal {
  return {
    change: {
      engine: { foreignWrites: 'report' },
      timeline: [
        {
          id: 'old',
          fault: 'script',
          where: target,
          when: 'incremental',
          delay: '1s',
          with: { commands: ['SET cond:nx stale', 'SET cond:copy stale', 'SET cond:gt v EX 90000'] },
        },
        {
          id: 'new',
          fault: 'script',
          where: source,
          after: 'old',
          with: {
            commands: [
              'SETNX cond:nx fresh',
              'SET cond:xx 1',
              'SET cond:xx 2 XX',
              'SET cond:from 1',
              'COPY cond:from cond:copy',
              'SET cond:gt v EX 100',
              'EXPIRE cond:gt 5000 GT',
            ],
          },
        },
      ],
    },
    outcome: { verdict: ['pass', 'fail'], link: 'in-sync', findings: ['FOREIGN_WRITE'] },
  };
}
