/** A server is shut down in order: it saves its data and lets its replicas catch up. Healed, it starts again with all of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { textOf } from '../../engine/resp/reply-text.ts';
import { aimedNode, controlOf, infoOf, openNode } from './aim.ts';
import { defineFault, effective, ineffective } from './define-fault.ts';
import { awaitEvidence } from './evidence.ts';

export const stop = defineFault({
  name: 'stop',
  summary: 'A server saves its data and shuts down in order; healed, it starts again with it.',
  requires: ['kill', 'restart'],
  aims: 'instance',
  dataLoss: 'none',
  reversible: true,
  async inject({ context, onHeal }) {
    const node = await aimedNode(context);
    const control = controlOf(context, node);
    onHeal(() => control.restart());
    const connection = await openNode(node);
    // There is no reply to a shutdown that succeeds: the connection ends.
    const refused = await Promise.race([
      connection.tryCall('SHUTDOWN', 'SAVE').catch(() => null),
      sleep(20_000, null, { ref: false }),
    ]);
    await connection.close();
    const gone = await awaitEvidence(context, async () => ((await answers(node)) ? null : true));
    return gone === null
      ? ineffective(`${node.address} still answers`, { reply: textOf(refused) })
      : effective({ server: node.address });
  },
});

function answers(node: Parameters<typeof infoOf>[0]): Promise<boolean> {
  return infoOf(node, 'server').then(
    () => true,
    () => false,
  );
}
