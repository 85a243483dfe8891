/** The engine dies without a last word. Healed, it is started again and goes on where the targets say that it was. */
import { aimedLink } from './aim.ts';
import { defineFault, effective, ineffective } from './define-fault.ts';

export const engineKill = defineFault({
  name: 'engine-kill',
  summary: 'The process of a link is killed (SIGKILL); healed, it is started again.',
  requires: ['engine'],
  aims: 'link',
  dataLoss: 'none',
  reversible: true,
  async inject({ context, onHeal }) {
    const { engine } = aimedLink(context);
    const { pid } = engine;
    if (pid === undefined) return ineffective('the process is not there');
    onHeal(() => engine.restart());
    await engine.kill();
    return engine.pid === undefined ? effective({ pid }) : ineffective('the process is still there', { pid });
  },
});
