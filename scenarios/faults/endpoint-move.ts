/** The instance moves to another address: a new server gets in sync, takes over, and the old one goes away for good. */
import { ReplyError } from '../../engine/resp/reply.ts';
import { aimedInstance, controlOf, infoOf, invalid, primaryOf } from './aim.ts';
import { defineFault, effective, ineffective } from './define-fault.ts';
import { awaitEvidence } from './evidence.ts';
import { handOver } from './hand-over.ts';
import { ask, tell } from './server-settings.ts';

export const endpointMove = defineFault({
  name: 'endpoint-move',
  summary: 'The primary moves to a new address: a new server takes over, and the old one is gone.',
  requires: ['kill', 'write'],
  aims: 'instance',
  dataLoss: 'none',
  reversible: false,
  async inject({ context }) {
    const instance = aimedInstance(context);
    const old = await primaryOf(instance);
    if (instance.addReplica === undefined)
      throw invalid(context, `${instance.name} cannot get another server`, 'Use a standalone without url.');
    const control = controlOf(context, old);
    const heir = await instance.addReplica(old);
    const { host, port } = heir.endpoint;
    // Refused while the new server has not acknowledged its snapshot, which takes up to a second.
    const reply = await awaitEvidence(context, async () => {
      const answer = await ask(old, 'FAILOVER', 'TO', host, String(port), 'TIMEOUT', '10000');
      return isTooEarly(answer) ? null : answer;
    });
    if (reply === null || reply instanceof ReplyError)
      await handOver(context, old, heir, async () => {
        await control.kill();
        return false;
      });
    const isOver = await awaitEvidence(context, async () =>
      (await infoOf(heir, 'replication'))['role'] === 'master' ? true : null,
    );
    if (isOver === null) return ineffective(`${heir.address} did not become the primary`);
    for (const node of instance.nodes())
      if (node !== heir && node !== old) await tell(node, 'REPLICAOF', host, String(port));
    await control.kill();
    context.subjects.relocate();
    return effective({ from: old.address, to: heir.address });
  },
});

function isTooEarly(answer: unknown): boolean {
  return answer instanceof ReplyError && /not online|in progress/.test(answer.message);
}
