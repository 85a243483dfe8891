/** A server is out of memory and evicts nothing: writes are refused, reads and deletes go on. */
import { aimedNode, infoOf } from './aim.ts';
import { defineFault, effective, ineffective } from './define-fault.ts';
import { awaitEvidence } from './evidence.ts';
import { changeSettings, refusal } from './server-settings.ts';

export const targetOom = defineFault({
  name: 'target-oom',
  summary: 'A server is over its memory limit and evicts nothing: writes are refused with OOM.',
  requires: ['config', 'write'],
  aims: 'instance',
  dataLoss: 'none',
  reversible: true,
  async inject(work) {
    const node = await aimedNode(work.context);
    const { used_memory: used = '0' } = await infoOf(node, 'memory');
    // Well below: near the limit small writes still succeed.
    const maxmemory = Math.max(1, Math.floor(Number(used) / 2));
    await changeSettings(work, node, {
      'maxmemory-policy': 'noeviction',
      maxmemory: String(maxmemory),
    });
    const text = await awaitEvidence(work.context, () => refusal(node), 2000);
    return text?.startsWith('OOM') === true
      ? effective({ server: node.address, usedMemory: Number(used), maxmemory, reply: text })
      : ineffective(`writes to ${node.address} are not refused`, { reply: text });
  },
});
