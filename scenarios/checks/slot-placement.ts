/** Every key of a cluster is on the node that owns its slot. */
import { plural } from '../../reports/display.ts';
import { evidenceAbout, unreadReason } from '../../reports/evidence.ts';
import { result, sum, type CheckContext, type CheckDefinition } from './check.ts';

const NAME = 'slot-placement';

export const slotPlacement: CheckDefinition = {
  name: NAME,
  summary: 'No node of a cluster has a key in a slot that is another’s.',
  judge: (context) => [judgeSlots(context)],
};

function judgeSlots({ events }: CheckContext) {
  const unread = unreadReason(events, 'slots');
  if (unread !== null) return result(NAME, 'unknown', `The slots could not be read on ${unread}`);
  const nodes = evidenceAbout(events, 'slots');
  if (nodes.length === 0) return result(NAME, 'skipped', 'There was no cluster.');
  const misplaced = sum(nodes.map((node) => node.misplaced));
  const counts = { nodes: nodes.length, keys: sum(nodes.map((node) => node.keys)), misplaced };
  const bad = nodes.find((node) => node.misplaced > 0);
  if (bad === undefined)
    return result(NAME, 'pass', `Every key of ${plural(nodes.length, 'node')} is where its slot is.`, counts);
  const summary = `${plural(misplaced, 'key')} on a node that does not own the slot: ${bad.samples.join(', ')} on ${bad.node} of ${bad.instance}.`;
  return result(NAME, 'fail', summary, counts);
}
