/** A server comes back with the data it had a while ago: what was written since is gone from it. */
import { aimedNode, controlOf, infoOf } from './aim.ts';
import { defineFault, effective, ineffective } from './define-fault.ts';
import { awaitEvidence } from './evidence.ts';
import { countOf } from './parameters.ts';
import { saveNow } from './server-settings.ts';

export const restartOldSnapshot = defineFault({
  name: 'restart-old-snapshot',
  summary: 'A server saves, goes on for a number of changes, is killed, and comes back without them.',
  requires: ['kill', 'restart', 'write'],
  aims: 'instance',
  properties: { changes: countOf('How many changes are lost at least.', 100) },
  dataLoss: 'source',
  reversible: false,
  async inject(work) {
    const { context, given } = work;
    const node = await aimedNode(context);
    const control = controlOf(context, node);
    const wanted = given.count('changes', 100);
    await saveNow(work, node);
    const lost = await awaitEvidence(context, async () => {
      const { rdb_changes_since_last_save: changes = '0' } = await infoOf(node, 'persistence');
      return Number(changes) >= wanted ? Number(changes) : null;
    });
    if (lost === null) return ineffective(`nobody made ${wanted} changes after the snapshot`);
    await control.restart();
    return effective({ server: node.address, changesLost: lost });
  },
});
