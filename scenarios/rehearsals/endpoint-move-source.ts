/** The source moves to another address. */
import { survives, type Scenario } from './scenario.ts';

export const endpointMoveSource: Scenario = {
  name: 'endpoint-move-source',
  summary: 'The source moves to another address.',
  row: 'endpoint.move.source',
  statements: ['S0-18', 'S2-15', 'S2-17', 'S2-28c'],
  variants: [
    {
      name: 'default',
      expects: 'The link is told the new address and continues there.',
      rehearse: ({ source, sourceKind }) =>
        sourceKind === 'cluster' || sourceKind === 'sentinel'
          ? { unfit: `of a ${sourceKind}, it is not the address of one server that is known` }
          : {
              change: {
                source: { replicas: 1 },
                // Clients lose a second or two: every kind of write must have worked all the same.
                incremental: '4s',
                timeline: [{ fault: 'endpoint-move', where: source, when: 'incremental' }],
              },
              outcome: survives('ENDPOINT_CHANGED'),
            },
    },
  ],
};
