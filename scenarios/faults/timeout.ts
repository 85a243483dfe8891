/** Silence that ends: nothing passes, then the connection is closed. */
import { networkFault } from './network-fault.ts';
import { durationOf } from './parameters.ts';

export const timeout = networkFault({
  name: 'timeout',
  summary: 'Nothing passes, and after a while the connections are closed.',
  properties: {
    after: durationOf('When they are closed.', '2s'),
  },
  isDirected: false,
  hasBitten: (effect) => effect.ended > 0,
  toxic: (given) => ({ kind: 'timeout', timeoutMs: given.durationMs('after', '2s') }),
});
