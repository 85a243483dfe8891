/** A shard of a cluster target stands still. */
import { survives, type Rehearsal, type Scenario } from './scenario.ts';

export const clusterDown: Scenario = {
  name: 'cluster-down',
  summary: 'A shard of a cluster target stands still.',
  row: 'cluster.down',
  statements: [],
  variants: [
    {
      name: 'default',
      expects: 'The link waits for its slots and loses nothing.',
      rehearse: ({ target, targetKind }) =>
        onCluster(targetKind, {
          change: {
            engine: { crossSlot: 'refetch' },
            timeline: [{ fault: 'pause', where: `${target}.shard(0)`, when: 'incremental', for: '2s' }],
          },
          outcome: survives(),
        }),
    },
  ],
};

function onCluster(kind: string, rehearsal: Rehearsal): Rehearsal | { unfit: string } {
  return kind === 'cluster' ? rehearsal : { unfit: 'the target is no cluster' };
}
