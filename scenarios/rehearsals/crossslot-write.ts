/** A command with keys in several slots comes from a source that is no cluster. */
import { ANY_DIFFERENCE, stops, survives, type Rehearsal, type Scenario } from './scenario.ts';

export const crossslotWrite: Scenario = {
  name: 'crossslot-write',
  summary: 'A command with keys in several slots comes from a source that is no cluster.',
  row: 'crossslot.write / multi.crossslot',
  statements: ['S0-19', 'S2-9'],
  variants: [
    {
      name: 'default',
      expects: 'The link stops at the command and names its keys and slots.',
      rehearse: ({ source, sourceKind, targetKind }) =>
        needsCluster(sourceKind, targetKind, {
          change: {
            engine: { crossSlot: 'fail' },
            writers: { rate: '200/s', mix: { set: 2, incr: 1 } },
            timeline: [{ fault: 'crossslot', where: source, when: 'incremental' }],
          },
          outcome: { ...stops('CROSSSLOT'), mayDiffer: ANY_DIFFERENCE },
        }),
    },
    {
      name: 'split',
      expects: 'The command is taken apart, and that it is not atomic any more is said.',
      rehearse: ({ source, sourceKind, targetKind }) =>
        needsCluster(sourceKind, targetKind, {
          change: {
            engine: { crossSlot: 'split' },
            writers: { rate: '200/s', mix: { set: 2, incr: 1 } },
            timeline: [{ fault: 'crossslot', where: source, when: 'incremental' }],
          },
          outcome: survives(),
        }),
    },
  ],
};

function needsCluster(source: string, target: string, rehearsal: Rehearsal): Rehearsal | { unfit: string } {
  if (target !== 'cluster') return { unfit: 'the target is no cluster' };
  return source === 'cluster' ? { unfit: 'the source is a cluster itself' } : rehearsal;
}
