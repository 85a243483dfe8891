/** A primary becomes the replica of nobody: it keeps its data and refuses writes, as after a failover nobody told of. */
import { aimedNode } from './aim.ts';
import { defineFault, effective, ineffective } from './define-fault.ts';
import { awaitEvidence } from './evidence.ts';
import { refusal, tell } from './server-settings.ts';

export const readOnly = defineFault({
  name: 'read-only',
  summary: 'A primary becomes a replica of a server that is not there, and refuses writes with READONLY.',
  requires: ['write', 'standalone'],
  aims: 'instance',
  dataLoss: 'none',
  reversible: true,
  async inject({ context, onHeal }) {
    const node = await aimedNode(context);
    onHeal(() => tell(node, 'REPLICAOF', 'NO', 'ONE'));
    // Nothing listens on port 1: it never gets other data.
    await tell(node, 'REPLICAOF', '127.0.0.1', '1');
    const text = await awaitEvidence(context, () => refusal(node), 2000);
    return text?.startsWith('READONLY') === true
      ? effective({ server: node.address, reply: text })
      : ineffective(`${node.address} takes writes`, { reply: text });
  },
});
