/** A flipped bit. A snapshot has a checksum and must be refused; the stream of commands has none, so no replica can tell. */
import { networkFault } from './network-fault.ts';
import { countOf, sizeOf } from './parameters.ts';

export const corrupt = networkFault({
  name: 'corrupt',
  summary: 'One bit is inverted on the way; a snapshot must be refused then.',
  properties: {
    at: sizeOf('How many more bytes of a connection are left alone first.', '4kb'),
    times: countOf('On how many connections.', 1),
  },
  dataLoss: 'target',
  stream: 'downstream',
  hasBitten: (effect) => effect.bytes > 0,
  toxic: (given) => ({
    kind: 'corrupt',
    afterBytes: given.bytes('at', '4kb'),
    times: given.count('times', 1),
  }),
});
