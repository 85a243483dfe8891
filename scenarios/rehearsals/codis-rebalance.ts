/** Slots of a Codis cluster move from one group to another while clients write. */
import { survives, type Rehearsal, type Scenario } from './scenario.ts';

export const codisRebalance: Scenario = {
  name: 'codis-rebalance',
  summary: 'Slots of a Codis cluster move from one group to another while clients write.',
  row: 'codis.rebalance',
  statements: ['S2-3'],
  variants: [
    {
      name: 'default',
      expects: 'The target has every key once, whichever stream was quicker.',
      rehearse: ({ source, sourceKind, topology, others }) =>
        onCodis(topology, sourceKind, others[0], (to) => ({
          change: {
            timeline: [
              {
                fault: 'codis-rebalance',
                where: source,
                when: 'incremental',
                with: { to, first: 0, slots: 32 },
              },
            ],
          },
          outcome: survives('TOPOLOGY_CHANGED'),
        })),
    },
  ],
};

function onCodis(
  topology: string,
  kind: string,
  to: string | undefined,
  rehearsal: (to: string) => Rehearsal,
): Rehearsal | { unfit: string } {
  if (topology !== 'codis' || kind !== 'codis-group') return { unfit: 'there are no Codis groups' };
  return to === undefined ? { unfit: 'there is only one group' } : rehearsal(to);
}
