/** The source forgets which history it is: whoever was connected cannot go on, and copies everything again. */
import { aimedNode, infoOf } from './aim.ts';
import { defineFault, effective, ineffective } from './define-fault.ts';
import { tell } from './server-settings.ts';

export const replidChange = defineFault({
  name: 'replid-change',
  summary:
    'The source gets a new replication id and drops its replicas: no link can continue, all is copied again.',
  requires: ['debug', 'write'],
  aims: 'instance',
  dataLoss: 'none',
  reversible: false,
  async inject({ context }) {
    const node = await aimedNode(context);
    const before = (await infoOf(node, 'replication'))['master_replid'];
    await tell(node, 'DEBUG', 'CHANGE-REPL-ID');
    await tell(node, 'CLIENT', 'KILL', 'TYPE', 'replica');
    const after = (await infoOf(node, 'replication'))['master_replid'];
    return before === after
      ? ineffective('the replication id is the same', { replid: after })
      : effective({ server: node.address, before, after });
  },
});
