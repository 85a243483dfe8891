/**
 * The engine is stopped in order, as for an update. Healed, it is started again and goes on where the targets say that it was.
 * A link that is not in sync is waited for: it would have nothing to go on from, or nowhere to put what it has received.
 */
import { aimedLink } from './aim.ts';
import { defineFault, effective, ineffective } from './define-fault.ts';
import { awaitEvidence } from './evidence.ts';

const IN_SYNC = ['Synchronizing', 'Suspending'];

export const engineRestart = defineFault({
  name: 'engine-restart',
  summary:
    'The process of a link applies what it has received and ends in order; healed, it is started again.',
  requires: ['engine'],
  aims: 'link',
  dataLoss: 'none',
  reversible: true,
  async inject({ context, onHeal }) {
    const link = aimedLink(context);
    const inSync = await awaitEvidence(context, async () => (IN_SYNC.includes(link.state) ? true : null));
    const { engine } = link;
    if (inSync === null) return ineffective(`the link was ${link.state}`);
    if (engine.pid === undefined) return ineffective('the process is not there');
    onHeal(() => engine.restart());
    const { inOrder, ...evidence } = await engine.stop();
    return inOrder && engine.pid === undefined
      ? effective(evidence)
      : ineffective('it had to be killed, or ended with an error', evidence);
  },
});
