/** A partition: nothing passes in either direction, nobody answers, nobody says so. */
import { networkFault } from './network-fault.ts';

export const blackhole = networkFault({
  name: 'blackhole',
  summary: 'Nothing passes in either direction, and nobody answers new connections.',
  properties: {},
  isDirected: false,
  hasBitten: (effect) => effect.droppedBytes > 0,
  toxic: () => ({ kind: 'blackhole' }),
});
