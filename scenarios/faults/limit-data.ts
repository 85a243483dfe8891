/** A connection that breaks at a certain byte: in the middle of a snapshot, or of a command. */
import { networkFault } from './network-fault.ts';
import { sizeOf } from './parameters.ts';

export const limitData = networkFault({
  name: 'limit-data',
  summary: 'Each connection breaks after exactly so many more bytes.',
  properties: {
    bytes: sizeOf('Bytes that still pass on a connection.', '64kb'),
  },
  stream: 'downstream',
  hasBitten: (effect) => effect.droppedBytes > 0,
  toxic: (given) => ({ kind: 'limit-data', bytes: given.bytes('bytes', '64kb') }),
});
