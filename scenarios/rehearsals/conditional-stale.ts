/** The target has an old value when conditional commands come (SETNX, SET XX, EXPIRE GT, COPY). */
import { tagOfSlot } from '../../engine/keys/cluster-slot.ts';
import type { Rehearsal, Scenario, ScenarioSubject } from './scenario.ts';
import { whyUnwatched } from './unwatched.ts';

/** One slot for all: of a cluster's first shard, which is the one that is asked. */
const TAG = `cond{${tagOfSlot(0)}}`;

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
          with: {
            commands: [`SET ${TAG}:nx stale`, `SET ${TAG}:copy stale`, `SET ${TAG}:gt v EX 90000`],
          },
        },
        {
          id: 'new',
          fault: 'script',
          where: source,
          after: 'old',
          with: {
            commands: [
              `SETNX ${TAG}:nx fresh`,
              `SET ${TAG}:xx 1`,
              `SET ${TAG}:xx 2 XX`,
              `SET ${TAG}:from 1`,
              `COPY ${TAG}:from ${TAG}:copy`,
              `SET ${TAG}:gt v EX 100`,
              `EXPIRE ${TAG}:gt 5000 GT`,
            ],
          },
        },
      ],
    },
    outcome: { verdict: ['pass', 'fail'], link: 'in-sync', findings: ['FOREIGN_WRITE'] },
  };
}
