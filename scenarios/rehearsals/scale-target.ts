/** Slots of a cluster target move from one shard to another while it is written to. */
import { survives, type Rehearsal, type Scenario } from './scenario.ts';

export const scaleTarget: Scenario = {
  name: 'scale-target',
  summary: 'Slots of a cluster target move from one shard to another while it is written to.',
  row: 'scale.destination',
  statements: ['S0-16'],
  variants: [
    {
      name: 'default',
      expects: 'The link follows MOVED and ASK; nothing is lost and nothing comes twice.',
      rehearse: ({ target, targetKind }) =>
        onCluster(targetKind, {
          change: {
            engine: { crossSlot: 'refetch' },
            timeline: [{ fault: 'reshard', where: target, when: 'incremental', with: { slots: 300 } }],
          },
          outcome: survives(),
        }),
    },
  ],
};

function onCluster(kind: string, rehearsal: Rehearsal): Rehearsal | { unfit: string } {
  return kind === 'cluster' ? rehearsal : { unfit: 'the target is no cluster' };
}
