/** The target moves to another address. */
import { survives, type Scenario } from './scenario.ts';

export const endpointMoveTarget: Scenario = {
  name: 'endpoint-move-target',
  summary: 'The target moves to another address.',
  row: 'endpoint.move.destination',
  statements: ['S0-18', 'S2-28c'],
  variants: [
    {
      name: 'default',
      expects: 'The link is told the new address and goes on there.',
      rehearse: ({ target, targetKind }) =>
        targetKind === 'cluster' || targetKind === 'sentinel'
          ? { unfit: `of a ${targetKind}, it is not the address of one server that is known` }
          : {
              change: {
                target: { replicas: 1 },
                // Clients lose a second or two: every kind of write must have worked all the same.
                incremental: '4s',
                timeline: [{ fault: 'endpoint-move', where: target, when: 'incremental' }],
              },
              outcome: survives('ENDPOINT_CHANGED'),
            },
    },
  ],
};
