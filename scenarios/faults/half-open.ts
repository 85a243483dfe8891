/** One direction is dead while both sockets stay open: the link looks up and is not. */
import { networkFault } from './network-fault.ts';

export const halfOpen = networkFault({
  name: 'half-open',
  summary: 'One direction is dead while both sides believe that they are connected.',
  properties: {},
  stream: 'downstream',
  hasBitten: (effect) => effect.droppedBytes > 0,
  toxic: () => ({ kind: 'half-open' }),
});
