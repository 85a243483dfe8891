/** A server stands still (SIGSTOP): its connections stay open, and nothing answers. */
import { aimedNode, controlOf, infoOf } from './aim.ts';
import { defineFault, effective, ineffective } from './define-fault.ts';

export const pause = defineFault({
  name: 'pause',
  summary: 'A server is stopped in its tracks (SIGSTOP): connections stay open, nothing answers.',
  requires: ['pause'],
  aims: 'instance',
  dataLoss: 'none',
  reversible: true,
  async inject({ context, onHeal }) {
    const node = await aimedNode(context);
    const control = controlOf(context, node);
    onHeal(() => Promise.resolve(control.resume()));
    await control.pause();
    const answers = await infoOf(node, 'server').then(
      () => true,
      () => false,
    );
    return answers ? ineffective(`${node.address} still answers`) : effective({ server: node.address });
  },
});
