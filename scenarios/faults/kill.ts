/** A server dies as in a power failure. Healed, it comes back with what its own persistence kept: without any, empty. */
import { aimedNode, controlOf, infoOf } from './aim.ts';
import { defineFault, effective, ineffective } from './define-fault.ts';

export const kill = defineFault({
  name: 'kill',
  summary:
    'A server is killed (SIGKILL); healed, it starts again with what its persistence kept, which by default is nothing.',
  requires: ['kill', 'restart'],
  aims: 'instance',
  dataLoss: 'source',
  reversible: true,
  async inject({ context, onHeal }) {
    const node = await aimedNode(context);
    const control = controlOf(context, node);
    onHeal(() => control.restart());
    await control.kill();
    const answers = await infoOf(node, 'server').then(
      () => true,
      () => false,
    );
    return answers ? ineffective(`${node.address} still answers`) : effective({ server: node.address });
  },
});
