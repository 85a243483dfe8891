/** Somebody deletes the heartbeat keys at the source. */
import { survives, type Scenario } from './scenario.ts';

export const heartbeatDelete: Scenario = {
  name: 'heartbeat-delete',
  summary: 'Somebody deletes the heartbeat keys at the source.',
  row: 'heartbeat.delete',
  statements: ['S1-11', 'S2-2'],
  variants: [
    {
      name: 'default',
      expects: 'They are written again, and none reaches the target.',
      rehearse: ({ source }) => ({
        change: { timeline: [{ fault: 'heartbeat-delete', where: source, when: 'incremental' }] },
        outcome: survives(),
      }),
    },
  ],
};
