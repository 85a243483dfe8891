/** The target moves to another address. */
import { moveEndpointOf } from './moved-endpoint.ts';
import type { Scenario } from './scenario.ts';

export const endpointMoveTarget: Scenario = {
  name: 'endpoint-move-target',
  summary: 'The target moves to another address.',
  row: 'endpoint.move.destination',
  statements: ['S0-18', 'S2-28c'],
  variants: [
    {
      name: 'default',
      expects: 'The link is told the new address and goes on there.',
      rehearse: moveEndpointOf('target'),
    },
  ],
};
