/** HyperLogLogs. PFCOUNT is among them: it writes its cached count, which a source sends on. */
import type { Family } from './operation.ts';

export const hllFamily: Family = {
  name: 'hll',
  summary: 'PFADD, PFMERGE, PFCOUNT',
  operations: [
    {
      command: 'pfadd',
      weight: 3,
      build: (c) => c.emit('PFADD', c.key('hll'), c.random.next(), c.random.next(), c.random.below(50)),
    },
    { command: 'pfmerge', build: (c) => c.emit('PFMERGE', c.key('hll'), ...c.keys('hll', 2)) },
    { command: 'pfcount', build: (c) => c.emit('PFCOUNT', c.key('hll')) },
  ],
};
