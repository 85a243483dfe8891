/** Everything is deleted at once, in one database or in all of them. */
import { aimedNode, openNode } from './aim.ts';
import { defineFault, effective, ineffective } from './define-fault.ts';
import { countOf, choiceOf } from './parameters.ts';
import { textOf } from '../../engine/resp/reply-text.ts';

const COMMANDS = ['flushall', 'flushdb'] as const;

export const flush = defineFault({
  name: 'flush',
  summary: 'FLUSHALL or FLUSHDB is run on an instance.',
  requires: ['write'],
  aims: 'instance',
  properties: {
    command: choiceOf('Which of the two.', COMMANDS, 'flushall'),
    database: countOf('Database, for flushdb.', 0, 0),
  },
  dataLoss: 'target',
  reversible: false,
  async inject({ context, given }) {
    const node = await aimedNode(context);
    const command = given.choice('command', COMMANDS, 'flushall');
    await using connection = await openNode(node);
    await connection.call('SELECT', String(given.count('database', 0)));
    const keys = Number(textOf(await connection.call('DBSIZE')));
    await connection.call(command);
    return keys > 0 || command === 'flushall'
      ? effective({ server: node.address, command, keysInDatabase: keys })
      : ineffective('the database was empty');
  },
});
