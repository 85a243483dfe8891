/** The source moves to another address. */
import { moveEndpointOf } from './moved-endpoint.ts';
import type { Scenario } from './scenario.ts';

export const endpointMoveSource: Scenario = {
  name: 'endpoint-move-source',
  summary: 'The source moves to another address.',
  row: 'endpoint.move.source',
  statements: ['S0-18', 'S2-15', 'S2-17', 'S2-28c'],
  variants: [
    {
      name: 'default',
      expects: 'The link is told the new address and continues there.',
      rehearse: moveEndpointOf('source'),
    },
  ],
};
