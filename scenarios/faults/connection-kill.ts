/** The server closes the connections of a kind of client, all at once. Whoever was cut comes back. */
import { aimedNode } from './aim.ts';
import { defineFault, effective, ineffective } from './define-fault.ts';
import { choiceOf } from './parameters.ts';
import { tell } from './server-settings.ts';

const KINDS = ['replica', 'normal'] as const;

export const connectionKill = defineFault({
  name: 'connection-kill',
  summary:
    'A server closes all its connections of a kind (CLIENT KILL): of replicas at a source, of clients at a target.',
  requires: ['write'],
  aims: 'instance',
  properties: {
    type: choiceOf(
      'replica: who reads the stream (a link at its source); normal: who sends commands.',
      KINDS,
      'replica',
    ),
  },
  dataLoss: 'none',
  reversible: false,
  async inject({ context, given }) {
    const node = await aimedNode(context);
    const type = given.choice('type', KINDS, 'replica');
    const killed = Number(await tell(node, 'CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes'));
    return killed > 0
      ? effective({ server: node.address, type, killed })
      : ineffective(`${node.address} has no connection of type ${type}`);
  },
});
