/** A key comes in another database than 0, and the target is a cluster. */
import { ANY_DIFFERENCE, stops, type Scenario } from './scenario.ts';

export const clusterMultidb: Scenario = {
  name: 'cluster-multidb',
  summary: 'A client begins to write to another database than 0, which a cluster target has not.',
  row: 'cluster.multidb',
  statements: ['S0-47'],
  variants: [
    {
      name: 'default',
      expects: 'The link stops at the command and says which database.',
      rehearse: ({ source, sourceKind, targetKind, keyPrefix }) => {
        if (targetKind !== 'cluster') return { unfit: 'the target is no cluster' };
        if (sourceKind === 'cluster') return { unfit: 'the source is a cluster itself' };
        return {
          change: {
            timeline: [
              {
                fault: 'script',
                where: source,
                when: 'incremental',
                with: { database: 1, commands: [`SET ${keyPrefix}elsewhere 1`] },
              },
            ],
          },
          outcome: { ...stops('UNSUPPORTED_COMMAND'), mayDiffer: ANY_DIFFERENCE },
        };
      },
    },
  ],
};
