/** Transactions: several keys and types, one effective write, none, other databases inside, WATCH, DISCARD. */
import type { Family, OperationContext } from './operation.ts';

const WRITES = ['set', 'hset', 'rpush', 'ltrim', 'incr', 'sadd', 'zadd', 'del'];

/** One simple write on some type. */
function write(c: OperationContext): void {
  const kind = c.random.below(7);
  if (kind === 0) c.emit('SET', c.key('string'), c.value());
  else if (kind === 1) c.emit('HSET', c.key('hash'), 'f1', c.value());
  else if (kind === 2) pushAndTrim(c);
  else if (kind === 3) c.emit('INCR', c.key('counter'));
  else if (kind === 4) c.emit('SADD', c.key('set'), c.random.below(60));
  else if (kind === 5) c.emit('ZADD', c.key('zset'), c.random.below(100), `m${c.random.below(60)}`);
  else c.emit('DEL', c.key('string'));
}

function pushAndTrim(c: OperationContext): void {
  const key = c.key('list');
  c.emit('RPUSH', key, c.value());
  c.emit('LTRIM', key, -100, -1);
}

function transaction(c: OperationContext, body: () => void): void {
  c.emit('MULTI');
  body();
  c.emit('EXEC');
}

const repeat = (times: number, action: () => void): void => {
  for (let round = 0; round < times; round++) action();
};

export const multiFamily: Family = {
  name: 'multi',
  summary: 'MULTI … EXEC over several keys and databases, WATCH, DISCARD',
  operations: [
    {
      command: 'multi',
      weight: 4,
      uses: ['exec', ...WRITES],
      build: (c) => transaction(c, () => repeat(c.random.between(2, 6), () => write(c))),
    },
    {
      command: 'multi',
      variant: 'long',
      uses: ['exec', ...WRITES],
      build: (c) => transaction(c, () => repeat(40, () => write(c))),
    },
    {
      command: 'multi',
      variant: 'one write',
      uses: ['exec', 'incr'],
      build: (c) => transaction(c, () => c.emit('INCR', c.key('counter'))),
    },
    {
      command: 'multi',
      variant: 'reads',
      uses: ['exec', 'get'],
      build: (c) => transaction(c, () => c.emit('GET', c.key('string'))),
    },
    {
      command: 'multi',
      variant: 'select',
      databases: 2,
      weight: 2,
      uses: ['exec', 'select', ...WRITES],
      build(c) {
        const home = c.database;
        transaction(c, () => {
          if (c.random.chance(0.5)) write(c);
          c.emit('SELECT', c.random.pick(c.otherDatabases));
          write(c);
          write(c);
          c.emit('SELECT', home);
          if (c.random.chance(0.5)) write(c);
        });
      },
    },
    {
      command: 'multi',
      variant: 'watch',
      uses: ['watch', 'exec', 'incr'],
      build(c) {
        const key = c.key('counter');
        c.emit('WATCH', key);
        transaction(c, () => c.emit('INCR', key));
      },
    },
    {
      command: 'multi',
      variant: 'discard',
      uses: ['set', 'discard'],
      build(c) {
        c.emit('MULTI');
        c.emit('SET', c.key('string'), 'must never be seen');
        c.emit('DISCARD');
      },
    },
  ],
};
