/** A script that does not end: everybody else is answered BUSY until it is killed. */
import { ReplyError } from '../../engine/resp/reply.ts';
import { aimedNode, openNode } from './aim.ts';
import { defineFault, effective, ineffective } from './define-fault.ts';
import { awaitEvidence } from './evidence.ts';
import { ask, changeSettings, tell } from './server-settings.ts';

export const busyScript = defineFault({
  name: 'busy-script',
  summary: 'A script runs without an end: everybody else is answered BUSY.',
  requires: ['config', 'write'],
  aims: 'instance',
  dataLoss: 'none',
  reversible: true,
  async inject(work) {
    const { context, onHeal } = work;
    const node = await aimedNode(context);
    await changeSettings(work, node, { 'lua-time-limit': '50' });
    const connection = await openNode(node, 0);
    const over = connection.tryCall('EVAL', 'while true do end', '0').then(
      () => undefined,
      () => undefined,
    );
    onHeal(async () => {
      const reply = await ask(node, 'SCRIPT', 'KILL');
      if (reply instanceof ReplyError && reply.kind !== 'NOTBUSY') await tell(node, 'SCRIPT', 'KILL');
      await over;
      await connection.close();
    });
    const text = await awaitEvidence(context, async () => {
      const reply = await ask(node, 'PING');
      return reply instanceof ReplyError && reply.kind === 'BUSY' ? reply.message : null;
    });
    return text === null
      ? ineffective(`${node.address} answers`)
      : effective({ server: node.address, reply: text });
  },
});
