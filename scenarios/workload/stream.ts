/**
 * Streams with consumer groups. `stream` keys take ids the client chose, so that it can name them again; `log` keys take
 * `*`. The group of a stream key is made when the client does not know that it is there.
 */
import type { Family, OperationContext } from './operation.ts';

const GROUP = 'workers';
const LENGTH_MAX = 200;
const CONSUMERS = ['ann', 'bob', 'eve'];

/** Adds an entry under a known id. */
function add(c: OperationContext): { key: string; id: string } {
  const key = c.key('stream');
  const id = c.streamId();
  c.emit('XADD', key, id, 'n', c.serial(), 'v', c.value());
  if (c.random.below(24) === 0) c.emit('XTRIM', key, 'MAXLEN', LENGTH_MAX);
  return { key, id };
}

/** As `add`, and the group is there and stands before the new entry. */
function addForGroup(c: OperationContext): { key: string; id: string } {
  const added = add(c);
  if (!c.knows(added.key, GROUP)) {
    c.emit('XGROUP', 'DESTROY', added.key, GROUP);
    c.emit('XGROUP', 'CREATE', added.key, GROUP, '0');
    c.remember(added.key, GROUP);
  }
  return added;
}

/** As `addForGroup`, and a consumer has received everything. */
function deliver(c: OperationContext): { key: string; id: string; consumer: string } {
  const added = addForGroup(c);
  const consumer = c.random.pick(CONSUMERS);
  c.emit('XREADGROUP', 'GROUP', GROUP, consumer, 'COUNT', LENGTH_MAX, 'STREAMS', added.key, '>');
  return { ...added, consumer };
}

const GROUP_COMMANDS = ['xadd', 'xtrim', 'xgroup'];
const DELIVERY_COMMANDS = [...GROUP_COMMANDS, 'xreadgroup'];

export const streamFamily: Family = {
  name: 'stream',
  summary: 'XADD, XDEL, XTRIM, XSETID, XGROUP, XREADGROUP, XACK, XCLAIM, XAUTOCLAIM',
  operations: [
    {
      command: 'xadd',
      weight: 3,
      build: (c) =>
        c.emit('XADD', c.key('log'), 'MAXLEN', '~', LENGTH_MAX, '*', 'n', c.serial(), 'v', c.value()),
    },
    { command: 'xadd', variant: 'id', uses: ['xtrim'], weight: 2, build: (c) => void add(c) },
    {
      command: 'xadd',
      variant: 'nomkstream',
      since: '6.2',
      build: (c) => c.emit('XADD', c.key('log'), 'NOMKSTREAM', '*', 'f', c.value()),
    },
    {
      command: 'xdel',
      uses: ['xadd', 'xtrim'],
      build(c) {
        const { key, id } = add(c);
        c.emit('XDEL', key, id);
      },
    },
    {
      command: 'xtrim',
      build: (c) => c.emit('XTRIM', c.key('log'), 'MAXLEN', c.random.between(20, LENGTH_MAX)),
    },
    {
      command: 'xtrim',
      variant: 'minid',
      since: '6.2',
      build: (c) => c.emit('XTRIM', c.key('log'), 'MINID', '~', c.nowMs - 60_000),
    },
    {
      command: 'xsetid',
      uses: ['xadd', 'xtrim'],
      build(c) {
        const { key } = add(c);
        c.emit('XSETID', key, c.streamId());
      },
    },
    {
      command: 'xgroup',
      variant: 'create',
      uses: ['xadd', 'xtrim'],
      build(c) {
        const { key } = add(c);
        c.emit('XGROUP', 'DESTROY', key, 'second');
        c.emit('XGROUP', 'CREATE', key, 'second', c.random.pick(['0', '$']));
      },
    },
    {
      command: 'xgroup',
      variant: 'mkstream',
      uses: ['del'],
      build(c) {
        const key = c.key('stream');
        c.emit('DEL', key);
        c.forgetKey(key);
        c.emit('XGROUP', 'CREATE', key, 'second', '$', 'MKSTREAM');
      },
    },
    {
      command: 'xgroup',
      variant: 'setid',
      uses: GROUP_COMMANDS,
      build: (c) => c.emit('XGROUP', 'SETID', addForGroup(c).key, GROUP, '$'),
    },
    {
      command: 'xgroup',
      variant: 'createconsumer',
      since: '6.2',
      uses: GROUP_COMMANDS,
      build: (c) => c.emit('XGROUP', 'CREATECONSUMER', addForGroup(c).key, GROUP, 'new'),
    },
    {
      command: 'xgroup',
      variant: 'delconsumer',
      uses: GROUP_COMMANDS,
      build: (c) => c.emit('XGROUP', 'DELCONSUMER', addForGroup(c).key, GROUP, 'eve'),
    },
    { command: 'xreadgroup', weight: 3, uses: GROUP_COMMANDS, build: (c) => void deliver(c) },
    {
      command: 'xreadgroup',
      variant: 'noack',
      // 6.0 does not replicate a consumer that has nothing pending: its own replicas lack it.
      since: '7.0',
      uses: GROUP_COMMANDS,
      build: (c) =>
        c.emit('XREADGROUP', 'GROUP', GROUP, 'ann', 'COUNT', 5, 'NOACK', 'STREAMS', addForGroup(c).key, '>'),
    },
    {
      command: 'xack',
      weight: 2,
      uses: DELIVERY_COMMANDS,
      build(c) {
        const { key, id } = deliver(c);
        c.emit('XACK', key, GROUP, id);
      },
    },
    {
      command: 'xclaim',
      uses: DELIVERY_COMMANDS,
      build(c) {
        const { key, id } = deliver(c);
        c.emit('XCLAIM', key, GROUP, c.random.pick(CONSUMERS), 0, id);
      },
    },
    {
      command: 'xclaim',
      variant: 'force',
      uses: [...DELIVERY_COMMANDS, 'xack'],
      build(c) {
        const { key, id } = deliver(c);
        c.emit('XACK', key, GROUP, id);
        c.emit('XCLAIM', key, GROUP, 'bob', 0, id, 'TIME', c.nowMs, 'RETRYCOUNT', 7, 'FORCE', 'JUSTID');
      },
    },
    {
      command: 'xautoclaim',
      uses: DELIVERY_COMMANDS,
      build: (c) =>
        c.emit('XAUTOCLAIM', deliver(c).key, GROUP, c.random.pick(CONSUMERS), 0, '0-0', 'COUNT', 3),
    },
  ],
};
