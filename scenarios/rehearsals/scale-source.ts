/** Slots of a cluster source move from one shard to another while clients write. */
import { ANY_DIFFERENCE, stops, survives, type Rehearsal, type Scenario } from './scenario.ts';

export const scaleSource: Scenario = {
  name: 'scale-source',
  summary: 'Slots of a cluster source move from one shard to another while clients write.',
  row: 'scale.source',
  statements: ['S0-16', 'S2-3'],
  variants: [
    {
      name: 'default',
      expects: 'No late DEL removes a key that has moved.',
      rehearse: ({ source, sourceKind }) =>
        onCluster(sourceKind, {
          change: {
            timeline: [{ fault: 'reshard', where: source, when: 'incremental', with: { slots: 300 } }],
          },
          outcome: survives(),
        }),
    },
    {
      name: 'vendor',
      expects: 'The link stops: the slots have moved.',
      rehearse: ({ source, sourceKind }) =>
        onCluster(sourceKind, {
          change: {
            engine: { topologyChange: 'fail' },
            timeline: [{ fault: 'reshard', where: source, when: 'incremental', with: { slots: 300 } }],
          },
          outcome: { ...stops('TOPOLOGY_CHANGED'), mayDiffer: ANY_DIFFERENCE },
        }),
    },
  ],
};

function onCluster(kind: string, rehearsal: Rehearsal): Rehearsal | { unfit: string } {
  return kind === 'cluster' ? rehearsal : { unfit: 'the source is no cluster' };
}
