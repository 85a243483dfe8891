/** The engine stands still while the source is written to, until the source throws it out for what it has to keep for it. */
import { aimedEngines, aimedNode, infoOf, openNode } from './aim.ts';
import { defineFault, effective, ineffective } from './define-fault.ts';
import { awaitEvidence } from './evidence.ts';
import { changeSettings, ownKey } from './server-settings.ts';
import type { FaultNode } from './subjects.ts';

const FILLER_KEY = 'redis-sync:fault-filler';
const FILLER_BYTES = 1024 * 1024;
const WRITES_MAX = 64;

export const outputBufferOverflow = defineFault({
  name: 'output-buffer-overflow',
  summary: 'The engine stands still until the source closes its connection for the output buffer that grows.',
  requires: ['config', 'write', 'engine'],
  aims: 'instance',
  dataLoss: 'none',
  reversible: true,
  async inject(work) {
    const { context, onHeal } = work;
    const node = await aimedNode(context);
    const engines = aimedEngines(context);
    await changeSettings(work, node, { 'client-output-buffer-limit': 'replica 262144 0 0' });
    onHeal(async () => {
      for (const engine of engines) engine.resume();
    });
    for (const engine of engines) await engine.pause();
    const before = await replicasOf(node);
    await using connection = await openNode(node);
    const key = await ownKey(connection, FILLER_KEY);
    const filler = Buffer.alloc(FILLER_BYTES, 'x');
    // The kernel's buffers take some megabytes first.
    for (let write = 0; write < WRITES_MAX && (await replicasOf(node)) >= before; write++)
      await connection.call('SET', key, filler);
    await connection.call('DEL', key);
    const after = await awaitEvidence(context, async () => {
      const now = await replicasOf(node);
      return now < before ? { now } : null;
    });
    return after === null
      ? ineffective('the source kept everything', { replicas: before })
      : effective({ server: node.address, replicasBefore: before, replicasAfter: after.now });
  },
});

/** Siblings that read are thrown out by nobody. */
async function replicasOf(node: FaultNode): Promise<number> {
  return Number((await infoOf(node, 'replication'))['connected_slaves'] ?? 0);
}
