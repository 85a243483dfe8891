/** A server reads its data in again, slowly, and answers LOADING meanwhile. */
import { ReplyError } from '../../engine/resp/reply.ts';
import { aimedNode, infoOf, openNode } from './aim.ts';
import { defineFault, effective, ineffective } from './define-fault.ts';
import { awaitEvidence } from './evidence.ts';
import { durationOf } from './parameters.ts';
import { ask, changeSettings } from './server-settings.ts';
import type { FaultNode } from './subjects.ts';

export const loading = defineFault({
  name: 'loading',
  summary: 'A server loads its data again and answers LOADING for a while.',
  requires: ['debug', 'config'],
  aims: 'instance',
  properties: { time: durationOf('How long, about.', '1s') },
  dataLoss: 'none',
  reversible: true,
  async inject(work) {
    const { context, given, onHeal } = work;
    const node = await aimedNode(context);
    const keys = await countKeys(node);
    if (keys === 0) return ineffective(`${node.address} has no keys to load`);
    const delayUs = Math.max(1, Math.floor((given.durationMs('time', '1s') * 1000) / keys));
    await changeSettings(work, node, {
      'key-load-delay': String(delayUs),
      // It answers only so often while it loads.
      'loading-process-events-interval-bytes': '1024',
    });
    const connection = await openNode(node, 120_000);
    const reloaded = connection.tryCall('DEBUG', 'RELOAD').then(
      () => undefined,
      () => undefined,
    );
    // By itself it is over after a while: settings can be set back then.
    onHeal(async () => {
      await reloaded;
      await connection.close();
    });
    const text = await awaitEvidence(context, async () => {
      const reply = await ask(node, 'PING');
      return reply instanceof ReplyError && reply.kind === 'LOADING' ? reply.message : null;
    });
    return text === null
      ? ineffective('it loaded too fast to be seen', { keys })
      : effective({ server: node.address, keys, reply: text });
  },
});

async function countKeys(node: FaultNode): Promise<number> {
  const databases = Object.values(await infoOf(node, 'keyspace'));
  return databases.reduce((sum, text) => sum + Number(/keys=(\d+)/.exec(text)?.[1] ?? 0), 0);
}
