/** A server dies, comes back, dies again. It keeps its data: it saves before each death. */
import { aimedNode, controlOf } from './aim.ts';
import { defineFault, effective } from './define-fault.ts';
import { countOf, durationOf } from './parameters.ts';
import { ask, saveNow } from './server-settings.ts';

export const crashLoop = defineFault({
  name: 'crash-loop',
  summary: 'A server saves, is killed, starts again, and dies again, several times.',
  requires: ['kill', 'restart'],
  aims: 'instance',
  properties: {
    deaths: countOf('How often it dies.', 3),
    up: durationOf('How long it lives in between.', '300ms'),
  },
  dataLoss: 'source',
  reversible: true,
  async inject(work) {
    const { context, given, onHeal } = work;
    const node = await aimedNode(context);
    const control = controlOf(context, node);
    const deaths = given.count('deaths', 3);
    const upMs = given.durationMs('up', '300ms');
    onHeal(() => control.restart());
    for (let death = 1; death <= deaths && !context.signal.aborted; death++) {
      if (death > 1) {
        await control.restart();
        await new Promise<void>((resolve) => void context.clock.schedule(upMs, resolve));
      }
      // Nothing is confirmed that the snapshot has not: there is no WRITE before 6.2, then a few writes are lost.
      await ask(node, 'CLIENT', 'PAUSE', '60000', 'WRITE');
      await saveNow(work, node);
      await control.kill();
    }
    return effective({ server: node.address, deaths });
  },
});
