/** Somebody who is not the link writes to an instance and deletes from it. */
import { aimedNode, openNode } from './aim.ts';
import { defineFault, effective, ineffective } from './define-fault.ts';
import { countOf } from './parameters.ts';
import { ownKey } from './server-settings.ts';
import { textOf } from '../../engine/resp/reply-text.ts';

export const rogueWriter = defineFault({
  name: 'rogue-writer',
  summary: 'Somebody who is not the link writes keys to an instance, changes one and deletes others.',
  requires: ['write'],
  aims: 'instance',
  properties: {
    writes: countOf('New keys.', 3),
    deletes: countOf('Keys that are deleted, whichever they are.', 2, 0),
    database: countOf('Database.', 0, 0),
  },
  dataLoss: 'target',
  reversible: false,
  async inject({ context, given }) {
    const node = await aimedNode(context);
    await using connection = await openNode(node);
    await connection.call('SELECT', String(given.count('database', 0)));
    const written: string[] = [];
    for (let index = 0; index < given.count('writes', 3); index++) {
      const key = await ownKey(connection, `rogue:${context.step}:${context.firing}:${index}`);
      await connection.call('SET', key, 'nobody asked for this');
      written.push(key);
    }
    const deleted: string[] = [];
    for (let tries = 0; deleted.length < given.count('deletes', 2) && tries < 1000; tries++) {
      const key = await connection.call('RANDOMKEY');
      if (!Buffer.isBuffer(key) || /^(rogue:|redis-sync:)/.test(key.toString('latin1'))) continue;
      if (textOf(await connection.call('DEL', key)) === '1') deleted.push(key.toString('latin1'));
    }
    return written.length + deleted.length === 0
      ? ineffective('nothing was changed')
      : effective({ server: node.address, written, deleted });
  },
});
