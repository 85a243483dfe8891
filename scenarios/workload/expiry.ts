/** Keys that really expire while the workload runs, are renewed, and are written to again afterwards. */
import type { Family, OperationContext } from './operation.ts';

const shortTtlMs = ({ random }: OperationContext): number => random.between(50, 500);

export const expiryFamily: Family = {
  name: 'expiry',
  summary: 'TTLs of 50 to 500 ms on strings, hashes and lists; renewed, removed, and left to expire',
  expiring: true,
  operations: [
    {
      command: 'set',
      variant: 'short px',
      weight: 3,
      build: (c) => c.emit('SET', c.key('volatile'), c.random.below(1000), 'PX', shortTtlMs(c)),
    },
    {
      command: 'psetex',
      variant: 'short',
      build: (c) => c.emit('PSETEX', c.key('volatile'), shortTtlMs(c), c.random.below(1000)),
    },
    // On a key that may just have expired: 1, not the old value plus one.
    { command: 'incr', variant: 'volatile', build: (c) => c.emit('INCR', c.key('volatile')) },
    {
      command: 'pexpire',
      variant: 'short',
      build: (c) => c.emit('PEXPIRE', c.key('volatile'), shortTtlMs(c)),
    },
    {
      command: 'pexpireat',
      variant: 'short',
      build: (c) => c.emit('PEXPIREAT', c.key('volatile'), c.nowMs + shortTtlMs(c)),
    },
    { command: 'persist', variant: 'volatile', build: (c) => c.emit('PERSIST', c.key('volatile')) },
    {
      command: 'hset',
      variant: 'short',
      uses: ['pexpire'],
      build(c) {
        const key = c.key('volatile-hash');
        c.emit('HSET', key, `f${c.random.below(20)}`, c.value());
        c.emit('PEXPIRE', key, shortTtlMs(c));
      },
    },
    {
      command: 'rpush',
      variant: 'short',
      uses: ['pexpire'],
      build(c) {
        const key = c.key('volatile-list');
        c.emit('RPUSH', key, c.value());
        c.emit('PEXPIRE', key, shortTtlMs(c));
      },
    },
  ],
};
