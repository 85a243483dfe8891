/** A server takes no more connections: whoever comes is turned away. */
import { aimedNode, infoOf, openNode } from './aim.ts';
import { defineFault, effective, ineffective } from './define-fault.ts';
import { flagOf } from './parameters.ts';

export const maxClients = defineFault({
  name: 'max-clients',
  summary: 'A server takes no more connections, and turns away whoever comes.',
  requires: ['config', 'write'],
  aims: 'instance',
  properties: {
    cut: flagOf('Also close the connections of replicas, so that they have to come back.', true),
  },
  dataLoss: 'none',
  reversible: true,
  async inject({ context, given, onHeal }) {
    const node = await aimedNode(context);
    const stats = await infoOf(node, 'stats');
    // Kept open: with it the limit is raised again.
    const connection = await openNode(node, 0);
    const [, before] = asPair(await connection.call('CONFIG', 'GET', 'maxclients'));
    onHeal(async () => {
      await connection.call('CONFIG', 'SET', 'maxclients', before);
      await connection.close();
    });
    await connection.call('CONFIG', 'SET', 'maxclients', '1');
    if (given.flag('cut', true)) await connection.call('CLIENT', 'KILL', 'TYPE', 'replica');
    const refused = await openNode(node).then(
      async (other) => {
        const failure = await other.tryCall('PING').then(
          () => null,
          (error: unknown) => String(error),
        );
        await other.close();
        return failure;
      },
      (error: unknown) => String(error),
    );
    return refused === null
      ? ineffective(`${node.address} takes connections`)
      : effective({ server: node.address, reply: refused, rejectedBefore: stats['rejected_connections'] });
  },
});

function asPair(reply: unknown): [string, string] {
  const [name, value] = Array.isArray(reply) ? reply.map(String) : [];
  return [name ?? '', value ?? '10000'];
}
