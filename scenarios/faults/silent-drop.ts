/** Bytes that vanish while the connection goes on. TCP never does that, and no engine can survive it: the checks must tell. */
import { networkFault } from './network-fault.ts';
import { sizeOf } from './parameters.ts';

export const silentDrop = networkFault({
  name: 'silent-drop',
  summary: 'Bytes vanish while the connection goes on: what no engine survives and every check must see.',
  properties: {
    at: sizeOf('How many more bytes of the busiest connection pass first.', '4kb'),
    bytes: sizeOf('How many vanish.', '64b'),
  },
  dataLoss: 'target',
  stream: 'downstream',
  hasBitten: (effect) => effect.droppedBytes > 0,
  toxic: (given) => ({
    kind: 'lose-bytes',
    afterBytes: given.bytes('at', '4kb'),
    bytes: given.bytes('bytes', '64b'),
  }),
});
