/** The engine stands still for longer than the source waits for an acknowledgement: it is taken for dead. */
import { aimedEngines, aimedNode, infoOf } from './aim.ts';
import { defineFault, effective, ineffective } from './define-fault.ts';
import { awaitEvidence } from './evidence.ts';
import { changeSettings } from './server-settings.ts';

export const replTimeout = defineFault({
  name: 'repl-timeout',
  summary:
    'The source waits only two seconds for an acknowledgement, and the engine stands still for longer.',
  requires: ['config', 'engine'],
  aims: 'instance',
  dataLoss: 'none',
  reversible: true,
  async inject(work) {
    const { context, onHeal } = work;
    const node = await aimedNode(context);
    const engines = aimedEngines(context);
    await changeSettings(work, node, { 'repl-timeout': '2', 'repl-ping-replica-period': '1' });
    const connected = async (): Promise<number> =>
      Number((await infoOf(node, 'replication'))['connected_slaves'] ?? 0);
    // Replicas that were on their way back when it began count too.
    let most = await connected();
    onHeal(async () => {
      for (const engine of engines) engine.resume();
    });
    for (const engine of engines) await engine.pause();
    const after = await awaitEvidence(context, async () => {
      const now = await connected();
      most = Math.max(most, now);
      return now < most ? { now } : null;
    });
    return after === null
      ? ineffective('the source went on waiting')
      : effective({ server: node.address, replicasBefore: most, replicasAfter: after.now });
  },
});
