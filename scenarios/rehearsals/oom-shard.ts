/** One shard of a cluster target is out of memory. */
import { survives, type Rehearsal, type Scenario } from './scenario.ts';

export const oomShard: Scenario = {
  name: 'oom-shard',
  summary: 'One shard of a cluster target is out of memory.',
  row: 'oom.shard',
  statements: ['S0-21'],
  variants: [
    {
      name: 'default',
      expects: 'The link waits for that shard, in order, until there is memory again; nothing is lost.',
      rehearse: ({ target, targetKind }) =>
        onCluster(targetKind, {
          change: {
            engine: { crossSlot: 'refetch' },
            timeline: [{ fault: 'target-oom', where: `${target}.shard(1)`, when: 'incremental', for: '1s' }],
          },
          outcome: survives('OOM'),
        }),
    },
  ],
};

function onCluster(kind: string, rehearsal: Rehearsal): Rehearsal | { unfit: string } {
  return kind === 'cluster' ? rehearsal : { unfit: 'the target is no cluster' };
}
