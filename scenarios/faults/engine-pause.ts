/** The engine stands still (SIGSTOP) while everything else goes on. */
import { aimedLink } from './aim.ts';
import { defineFault, effective, ineffective } from './define-fault.ts';

export const enginePause = defineFault({
  name: 'engine-pause',
  summary: 'The process of a link is stopped in its tracks (SIGSTOP).',
  requires: ['engine'],
  aims: 'link',
  dataLoss: 'none',
  reversible: true,
  async inject({ context, onHeal }) {
    const { engine } = aimedLink(context);
    const { pid } = engine;
    if (pid === undefined) return ineffective('the process is not there');
    onHeal(() => Promise.resolve(engine.resume()));
    await engine.pause();
    return effective({ pid });
  },
});
