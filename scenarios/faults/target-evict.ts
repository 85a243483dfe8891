/** A server makes room by removing keys that have an expiry: every write is answered with OK while data vanishes. */
import { aimedNode, infoOf } from './aim.ts';
import { defineFault, effective, ineffective } from './define-fault.ts';
import { awaitEvidence } from './evidence.ts';
import { countOf } from './parameters.ts';
import { changeSettings } from './server-settings.ts';

export const targetEvict = defineFault({
  name: 'target-evict',
  summary: 'A server makes room by removing keys that have an expiry, without telling anybody.',
  requires: ['config', 'write'],
  aims: 'instance',
  properties: { percent: countOf('How much of its data it has to give up.', 10) },
  dataLoss: 'target',
  reversible: true,
  async inject(work) {
    const { context, given } = work;
    const node = await aimedNode(context);
    const memory = await infoOf(node, 'memory');
    const used = Number(memory['used_memory'] ?? 0);
    const dataset = Number(memory['used_memory_dataset'] ?? 0);
    const maxmemory = Math.floor(used - (dataset * given.count('percent', 10)) / 100);
    const evicted = async (): Promise<number> => Number((await infoOf(node, 'stats'))['evicted_keys'] ?? 0);
    const before = await evicted();
    await changeSettings(work, node, {
      'maxmemory-policy': 'volatile-lru',
      maxmemory: String(maxmemory),
    });
    const after = await awaitEvidence(context, async () => {
      const now = await evicted();
      return now > before ? now : null;
    });
    return after === null
      ? ineffective('no key was evicted: none has an expiry, or nobody writes', { maxmemory })
      : effective({ server: node.address, maxmemory, evictedKeys: after - before });
  },
});
