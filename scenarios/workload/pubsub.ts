/** Messages. A source sends PUBLISH to its replicas; it must not reach the target. */
import type { Family } from './operation.ts';

export const pubsubFamily: Family = {
  name: 'pubsub',
  summary: 'PUBLISH, SPUBLISH',
  operations: [
    { command: 'publish', build: (c) => c.emit('PUBLISH', 'redis-sync-workload', c.value()) },
    { command: 'spublish', build: (c) => c.emit('SPUBLISH', 'redis-sync-workload', c.value()) },
  ],
};
