/** Connections are reset (RST), those that come as well, until it is healed. */
import { networkFault } from './network-fault.ts';
import { durationOf } from './parameters.ts';

export const resetPeer = networkFault({
  name: 'reset-peer',
  summary: 'Connections are reset, new ones too.',
  properties: {
    after: durationOf('How old a connection may get.', '0ms'),
  },
  isDirected: false,
  hasBitten: (effect) => effect.ended > 0,
  toxic: (given) => ({ kind: 'reset-peer', timeoutMs: given.durationMs('after', '0ms') }),
});
