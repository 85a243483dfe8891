/** The password changes: those who are logged in stay, those who come are refused. */
import { ReplyError } from '../../engine/resp/reply.ts';
import { readCredentials } from '../../engine/connect/credentials.ts';
import { aimedNode, openNode } from './aim.ts';
import { defineFault, effective, ineffective } from './define-fault.ts';
import { flagOf } from './parameters.ts';
import { ask } from './server-settings.ts';

export const passwordRotate = defineFault({
  name: 'password-rotate',
  summary:
    'The password of a server changes; whoever connects with the old one is refused. Healed, the old one is right again.',
  requires: ['config', 'write'],
  aims: 'instance',
  properties: { cut: flagOf('Also close the connections that are open.', true) },
  dataLoss: 'none',
  reversible: true,
  async inject({ context, given, onHeal }) {
    const node = await aimedNode(context);
    const { password: old = '' } = readCredentials(node.endpoint);
    const password = `rotated-${context.step}`;
    const changed = { ...node, endpoint: { ...node.endpoint, password } };
    onHeal(async () => {
      await using connection = await openNode(changed).catch(() => openNode(node));
      await connection.call('CONFIG', 'SET', 'requirepass', old);
    });
    {
      await using connection = await openNode(node);
      await connection.call('CONFIG', 'SET', 'requirepass', password);
      if (given.flag('cut', true))
        for (const type of ['normal', 'replica'])
          await connection.call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes');
    }
    const reply = await ask(node, 'PING').catch((error: unknown) => String(error));
    const isRefused = typeof reply === 'string' || reply instanceof ReplyError;
    return isRefused
      ? effective({
          server: node.address,
          reply: reply instanceof ReplyError ? reply.message : reply,
        })
      : ineffective(`${node.address} lets us in as before`);
  },
});
