/** A server wants more replicas than it has before it takes writes. */
import { aimedNode } from './aim.ts';
import { defineFault, effective, ineffective } from './define-fault.ts';
import { awaitEvidence } from './evidence.ts';
import { changeSettings, refusal } from './server-settings.ts';

export const noReplicas = defineFault({
  name: 'no-replicas',
  summary: 'A server wants more replicas than it has, and refuses writes with NOREPLICAS.',
  requires: ['config', 'write'],
  aims: 'instance',
  dataLoss: 'none',
  reversible: true,
  async inject(work) {
    const node = await aimedNode(work.context);
    await changeSettings(work, node, { 'min-replicas-to-write': '100' });
    const text = await awaitEvidence(work.context, () => refusal(node), 2000);
    return text?.startsWith('NOREPLICAS') === true
      ? effective({ server: node.address, reply: text })
      : ineffective(`${node.address} takes writes`, { reply: text });
  },
});
