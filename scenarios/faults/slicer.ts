/** Bytes in small pieces: whoever reads must not count on whole commands. */
import { networkFault } from './network-fault.ts';
import { countOf, durationOf } from './parameters.ts';

export const slicer = networkFault({
  name: 'slicer',
  summary: 'Bytes come in small pieces, some time apart.',
  properties: {
    size: countOf('Bytes in a piece.', 1),
    delay: durationOf('Between two pieces.', '0ms'),
  },
  toxic: (given) => ({
    kind: 'slicer',
    bytes: given.count('size', 1),
    delayMs: given.durationMs('delay', '0ms'),
  }),
});
