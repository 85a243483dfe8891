/** A slow way: every byte comes later, in order. */
import { networkFault } from './network-fault.ts';
import { durationOf } from './parameters.ts';

export const latency = networkFault({
  name: 'latency',
  summary: 'Every byte between the link and the server comes later.',
  properties: {
    latency: durationOf('How much later.', '50ms'),
    jitter: durationOf('Give or take.', '0ms'),
  },
  toxic: (given) => ({
    kind: 'latency',
    latencyMs: given.durationMs('latency', '50ms'),
    jitterMs: given.durationMs('jitter', '0ms'),
  }),
});
