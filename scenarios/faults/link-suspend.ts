/** The link is suspended and resumed, as an operator would: it goes on receiving and applies nothing. */
import { aimedLink } from './aim.ts';
import { defineFault, effective, ineffective } from './define-fault.ts';
import { awaitEvidence } from './evidence.ts';

export const linkSuspend = defineFault({
  name: 'link-suspend',
  summary: 'A link is suspended as by an operator: it receives and applies nothing until it is resumed.',
  requires: ['engine'],
  aims: 'link',
  dataLoss: 'none',
  reversible: true,
  async inject({ context, onHeal }) {
    const link = aimedLink(context);
    onHeal(() => Promise.resolve(link.resume()));
    link.suspend();
    const isSuspended = await awaitEvidence(context, () =>
      Promise.resolve(link.state === 'Suspending' ? true : null),
    );
    return isSuspended === null
      ? ineffective(`link ${link.id} goes on`, { state: link.state })
      : effective({ link: link.id, state: link.state });
  },
});
