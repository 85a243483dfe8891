/** Keys as such: deletion, expiry far in the future, renaming, copying, moving, dumping. Any type of key is hit. */
import { longTtlSeconds } from './string.ts';
import type { Family, OperationContext, Tag } from './operation.ts';

const ANY: readonly Tag[] = [
  'string',
  'counter',
  'float',
  'bits',
  'hash',
  'list',
  'set',
  'zset',
  'scores',
  'stream',
  'log',
  'hll',
  'geo',
];

function anyKey(c: OperationContext): string {
  return c.key(c.random.pick(ANY));
}

/** A key that is being deleted. */
function doomed(c: OperationContext, tag: Tag = c.random.pick(ANY)): string {
  const key = c.key(tag);
  c.forgetKey(key);
  return key;
}

/** Makes a small key of one of two types. */
function make(c: OperationContext, tag: Tag): string {
  const key = c.key(tag);
  c.emit('SET', key, c.value());
  return key;
}

const laterSeconds = (c: OperationContext): number => Math.floor(c.nowMs / 1000) + longTtlSeconds(c);

export const keyFamily: Family = {
  name: 'key',
  summary: 'DEL, UNLINK, EXPIRE with every condition, PERSIST, RENAME, COPY, MOVE, DUMP and RESTORE',
  operations: [
    { command: 'del', weight: 3, build: (c) => c.emit('DEL', doomed(c)) },
    {
      command: 'del',
      variant: 'several',
      build: (c) => c.emit('DEL', doomed(c, 'string'), doomed(c, 'hash'), doomed(c, 'list')),
    },
    { command: 'unlink', build: (c) => c.emit('UNLINK', doomed(c), doomed(c)) },
    { command: 'expire', weight: 2, build: (c) => c.emit('EXPIRE', anyKey(c), longTtlSeconds(c)) },
    {
      command: 'expire',
      variant: 'gt',
      since: '7.0',
      build: (c) => c.emit('EXPIRE', anyKey(c), longTtlSeconds(c), 'GT'),
    },
    {
      command: 'expire',
      variant: 'nx',
      since: '7.0',
      build: (c) => c.emit('EXPIRE', anyKey(c), longTtlSeconds(c), 'NX'),
    },
    { command: 'expire', variant: 'past', build: (c) => c.emit('EXPIRE', doomed(c), -1) },
    {
      command: 'pexpire',
      build: (c) => c.emit('PEXPIRE', anyKey(c), longTtlSeconds(c) * 1000 + c.random.below(1000)),
    },
    { command: 'expireat', build: (c) => c.emit('EXPIREAT', anyKey(c), laterSeconds(c)) },
    {
      command: 'expireat',
      variant: 'xx',
      since: '7.0',
      build: (c) => c.emit('EXPIREAT', anyKey(c), laterSeconds(c), 'XX'),
    },
    {
      command: 'pexpireat',
      variant: 'lt',
      since: '7.0',
      build: (c) => c.emit('PEXPIREAT', anyKey(c), laterSeconds(c) * 1000, 'LT'),
    },
    { command: 'persist', build: (c) => c.emit('PERSIST', anyKey(c)) },
    { command: 'rename', uses: ['set'], build: (c) => c.emit('RENAME', make(c, 'key'), c.key('renamed')) },
    {
      command: 'renamenx',
      uses: ['set'],
      build: (c) => c.emit('RENAMENX', make(c, 'key'), c.key('renamed')),
    },
    { command: 'copy', uses: ['set'], build: (c) => c.emit('COPY', make(c, 'key'), c.key('copied')) },
    {
      command: 'copy',
      variant: 'replace',
      uses: ['set'],
      build: (c) => c.emit('COPY', make(c, 'key'), c.key('copied'), 'REPLACE'),
    },
    {
      command: 'copy',
      variant: 'db',
      uses: ['set'],
      databases: 2,
      build: (c) =>
        c.emit('COPY', make(c, 'key'), c.key('copied'), 'DB', c.random.pick(c.otherDatabases), 'REPLACE'),
    },
    {
      command: 'move',
      uses: ['set', 'select', 'del'],
      databases: 2,
      build(c) {
        const home = c.database;
        const other = c.random.pick(c.otherDatabases);
        const key = c.key('moved');
        // MOVE does nothing when the other database has the key.
        c.emit('SELECT', other);
        c.emit('DEL', key);
        c.emit('SELECT', home);
        c.emit('SET', key, c.value());
        c.emit('MOVE', key, other);
      },
    },
    { command: 'dump', uses: ['set'], build: (c) => c.emit('DUMP', make(c, 'key')) },
    {
      command: 'restore',
      build: (c) => c.emit('RESTORE', c.key('restored'), 0, c.payloads.string, 'REPLACE'),
    },
    {
      command: 'restore',
      variant: 'absttl',
      since: '5.0',
      build: (c) =>
        c.emit('RESTORE', c.key('restored'), laterSeconds(c) * 1000, c.payloads.hash, 'REPLACE', 'ABSTTL'),
    },
  ],
};
