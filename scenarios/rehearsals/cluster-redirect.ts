/** Slots of a cluster target move back and forth: it answers MOVED and ASK. */
import { survives, type Rehearsal, type Scenario } from './scenario.ts';

export const clusterRedirect: Scenario = {
  name: 'cluster-redirect',
  summary: 'Slots of a cluster target move back and forth: it answers MOVED and ASK.',
  row: 'cluster.redirect',
  statements: [],
  variants: [
    {
      name: 'default',
      expects: 'The link follows; nothing is applied twice.',
      rehearse: ({ target, targetKind }) =>
        onCluster(targetKind, {
          change: {
            engine: { crossSlot: 'refetch' },
            timeline: [
              {
                id: 'there',
                fault: 'reshard',
                where: target,
                when: 'incremental',
                with: { slots: 100, from: 0, to: 1 },
              },
              {
                id: 'back',
                fault: 'reshard',
                where: target,
                after: 'there',
                with: { slots: 100, from: 1, to: 0 },
              },
            ],
          },
          outcome: survives(),
        }),
    },
  ],
};

function onCluster(kind: string, rehearsal: Rehearsal): Rehearsal | { unfit: string } {
  return kind === 'cluster' ? rehearsal : { unfit: 'the target is no cluster' };
}
