/** A narrow way: no more than so many bytes a second on each connection. */
import { networkFault } from './network-fault.ts';
import { sizeOf } from './parameters.ts';

export const bandwidth = networkFault({
  name: 'bandwidth',
  summary: 'Each connection between the link and the server carries no more than so many bytes a second.',
  properties: {
    rate: sizeOf('Bytes per second.', '256kb'),
  },
  toxic: (given) => ({ kind: 'bandwidth', bytesPerSecond: given.bytes('rate', '256kb') }),
});
