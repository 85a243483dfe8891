/** Commands whose keys are in different slots of a cluster, which a source that is none takes without a word. */
import { aimedNode, openNode } from './aim.ts';
import { defineFault, effective } from './define-fault.ts';
import { choiceOf } from './parameters.ts';

const COMMANDS = ['mset', 'del', 'rename', 'sunionstore', 'lmove', 'multi', 'eval'] as const;
type Command = (typeof COMMANDS)[number];

export const crossslot = defineFault({
  name: 'crossslot',
  summary: 'A command with keys in several slots of a cluster is run on an instance that is none.',
  requires: ['write'],
  aims: 'instance',
  properties: { command: choiceOf('Which one.', COMMANDS, 'mset') },
  dataLoss: 'none',
  reversible: false,
  async inject({ context, given }) {
    const node = await aimedNode(context);
    const command = given.choice('command', COMMANDS, 'mset');
    // CRC16: slots 15495, 3300 and 7365.
    const [a, b, c] = ['a', 'b', 'c'].map((key) => `{${key}}crossslot:${context.step}:${context.firing}`);
    await using connection = await openNode(node);
    for (const line of linesOf(command, [a ?? '', b ?? '', c ?? ''])) await connection.call(...line);
    return effective({ server: node.address, command, keys: [a, b, c] });
  },
});

function linesOf(command: Command, [a, b, c]: [string, string, string]): string[][] {
  switch (command) {
    case 'mset':
      return [['MSET', a, '1', b, '2', c, '3']];
    case 'del':
      return [
        ['SET', a, '1'],
        ['SET', b, '2'],
        ['DEL', a, b],
      ];
    case 'rename':
      return [
        ['SET', a, '1'],
        ['RENAME', a, b],
      ];
    case 'sunionstore':
      return [
        ['SADD', a, '1'],
        ['SADD', b, '2'],
        ['SUNIONSTORE', c, a, b],
      ];
    case 'lmove':
      return [
        ['RPUSH', a, '1', '2'],
        ['RPOPLPUSH', a, b],
      ];
    case 'multi':
      return [['MULTI'], ['SET', a, '1'], ['SET', b, '2'], ['EXEC']];
    case 'eval':
      return [['EVAL', "redis.call('SET', KEYS[1], '1') redis.call('SET', KEYS[2], '2')", '2', a, b]];
    default:
      return command satisfies never;
  }
}
