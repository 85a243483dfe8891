/** When the links have ended nothing of them is left: connections, temporary keys, files, processes. */
import { evidenceAbout, unreadReason } from '../../reports/evidence.ts';
import { result, type CheckContext, type CheckDefinition } from './check.ts';
import { effectiveFaults } from './faults-in-effect.ts';

const NAME = 'leaks';

export const leaks: CheckDefinition = {
  name: NAME,
  summary: 'Links leave no connection, no temporary key, no file and no process behind.',
  judge: (context) => [judgeLeaks(context)],
};

function judgeLeaks(context: CheckContext) {
  const { events, links } = context;
  if (links.length === 0) return result(NAME, 'skipped', 'There were no links.');
  if (evidenceAbout(events, 'remains').length === 0)
    return result(NAME, 'unknown', 'Nobody looked what was left.');
  const left = [
    ...evidenceAbout(events, 'leftovers').flatMap(({ instance, clients, keys }) => [
      ...clients.map((name) => `connection ${name} to ${instance}`),
      ...keys.map((key) => `key ${key} on ${instance}`),
    ]),
    ...evidenceAbout(events, 'remains').flatMap(({ processes, files }) => [
      ...processes.map((what) => `process ${what}`),
      ...files.map((file) => `file ${file}`),
    ]),
  ];
  if (left.length > 0)
    return result(NAME, 'fail', `Left behind: ${left.slice(0, 5).join(', ')}.`, { left: left.length });
  const unread = unreadReason(events, 'leftovers');
  // A server that a fault has taken away has nothing of ours any more.
  if (unread !== null && effectiveFaults(context).length === 0)
    return result(NAME, 'unknown', `Could not be asked: ${unread}`, { left: 0 });
  return result(NAME, 'pass', 'Nothing.', { left: 0 });
}
