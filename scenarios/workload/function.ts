/** Functions (7.0): loading, calling with one and with several effects, deleting. */
import type { Family } from './operation.ts';

const LIBRARY = `#!lua name=redis_sync_workload
redis.register_function('redis_sync_add', function(keys, args)
  return redis.call('INCRBY', keys[1], args[1])
end)
redis.register_function('redis_sync_record', function(keys, args)
  redis.call('HSET', keys[1], 'f1', args[1])
  redis.call('SADD', keys[2], args[2])
  return redis.call('INCR', keys[3])
end)`;

const shortLived = (client: number): string => `redis_sync_short_lived_${client}`;

export const functionFamily: Family = {
  name: 'function',
  summary: 'FUNCTION LOAD, FUNCTION DELETE, FCALL',
  prepare: [['FUNCTION', 'LOAD', 'REPLACE', LIBRARY]],
  operations: [
    {
      command: 'fcall',
      weight: 3,
      build: (c) => c.emit('FCALL', 'redis_sync_add', 1, c.key('counter'), c.random.below(10)),
    },
    {
      command: 'fcall',
      variant: 'several',
      weight: 3,
      build: (c) =>
        c.emit(
          'FCALL',
          'redis_sync_record',
          3,
          c.key('hash'),
          c.key('set'),
          c.key('counter'),
          c.value(),
          c.random.below(60),
        ),
    },
    { command: 'function', variant: 'load', build: (c) => c.emit('FUNCTION', 'LOAD', 'REPLACE', LIBRARY) },
    {
      command: 'function',
      variant: 'delete',
      build(c) {
        const name = shortLived(c.client);
        c.emit(
          'FUNCTION',
          'LOAD',
          'REPLACE',
          `#!lua name=${name}\nredis.register_function('${name}', function() return 1 end)`,
        );
        c.emit('FUNCTION', 'DELETE', name);
      },
    },
  ],
};
