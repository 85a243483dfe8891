/** Somebody deletes the heartbeat keys of the links. They are written again, and nothing of them may leak. */
import { aimedNode, openNode } from './aim.ts';
import { defineFault, effective, ineffective } from './define-fault.ts';
import { awaitEvidence } from './evidence.ts';
import { textParameter } from './parameters.ts';

export const heartbeatDelete = defineFault({
  name: 'heartbeat-delete',
  summary: 'The heartbeat keys of the links are deleted at the source.',
  requires: ['write'],
  aims: 'instance',
  properties: { prefix: textParameter('What heartbeat keys begin with.', 'DTS_REDIS_TIMESTAMP_HEARTBEAT') },
  dataLoss: 'none',
  reversible: false,
  async inject({ context, given }) {
    const node = await aimedNode(context);
    const prefix = given.text('prefix', 'DTS_REDIS_TIMESTAMP_HEARTBEAT');
    await using connection = await openNode(node);
    const deleted = await awaitEvidence(context, async () => {
      const reply = await connection.call('KEYS', `${prefix}*`);
      const keys = Array.isArray(reply) ? reply.filter((key) => Buffer.isBuffer(key)) : [];
      if (keys.length === 0) return null;
      return Number(await connection.call('DEL', ...keys)) || null;
    });
    return deleted === null
      ? ineffective('there is no heartbeat key', { prefix })
      : effective({ server: node.address, deleted });
  },
});
