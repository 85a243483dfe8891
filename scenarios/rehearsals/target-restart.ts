/** The target dies and comes back without its data. */
import { ANY_DIFFERENCE, stops, type Scenario } from './scenario.ts';

export const targetRestart: Scenario = {
  name: 'target-restart',
  summary: 'The target dies and comes back without its data.',
  row: 'failover.destination-lossy',
  statements: ['S2-19', 'S2-28b'],
  variants: [
    {
      name: 'default',
      expects: 'The link stops: writes that the target had confirmed are gone from it.',
      rehearse: ({ target }) => ({
        change: { timeline: [{ fault: 'kill', where: target, when: 'incremental', for: '300ms' }] },
        outcome: { ...stops('NOT_DURABLE'), mayDiffer: ANY_DIFFERENCE },
      }),
    },
  ],
};
