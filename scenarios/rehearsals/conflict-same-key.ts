/** Clients of all members of a circle write the same keys while a way between them is slow. */
import { survives, type Scenario } from './scenario.ts';

const SHARED = { prefix: 'shared:', rate: '400/s', clients: 2, keyspace: 100, databases: [0] };
const MIX = { set: 4, hset: 2, rpush: 2, incr: 2, sadd: 1 };

export const conflictSameKey: Scenario = {
  name: 'conflict-same-key',
  summary: 'Clients of all members of a circle write the same keys while a way between them is slow.',
  row: 'conflict.same-key',
  statements: ['S0-1', 'S0-8', 'S0-43', 'S0-44'],
  variants: [
    {
      name: 'default',
      expects: 'The newest write wins everywhere, and every conflict is told with all values.',
      rehearse: ({ topology, link, source, others }) =>
        topology === 'two-way' || topology === 'ring'
          ? {
              change: {
                engine: { conflict: 'last-write-wins', heartbeat: { interval: '200ms' } },
                workload: [source, ...others].map((into, index) => ({
                  name: `clients-${index}`,
                  into,
                  ...SHARED,
                  mix: MIX,
                })),
                incremental: '4s',
                timeline: [
                  {
                    fault: 'latency',
                    where: `link:${link}.target`,
                    with: { latency: '60ms', jitter: '20ms' },
                    when: 'incremental',
                    for: '3s',
                  },
                ],
                expect: [{ finding: 'LOOP_ECHO', count: 0 }],
              },
              outcome: survives('CONFLICT'),
            }
          : { unfit: 'conflicts are resolved in a pair or a ring' },
    },
  ],
};
