/** The engine's heartbeat keys stay on the source (vendor statements S2-2 to S2-4). */
import { displayBytes, plural } from '../../reports/display.ts';
import { result, type CheckContext, type CheckDefinition } from './check.ts';

const NAME = 'heartbeat-leak';

export const heartbeatLeak: CheckDefinition = {
  name: NAME,
  summary: 'No heartbeat key reached a target.',
  judge: (context) => [judgeHeartbeat(context)],
};

function judgeHeartbeat({ heartbeat, findings, comparison, links }: CheckContext) {
  if (heartbeat === null || links.length === 0) return result(NAME, 'skipped', 'No heartbeat was written.');
  const shown = displayBytes(Buffer.from(heartbeat.prefix)).slice(0, -1);
  const listed = (comparison?.differences ?? []).filter(
    (item) => item.target !== null && item.key.startsWith(shown),
  );
  const reported = findings.filter((finding) => finding.code === 'HEARTBEAT_LEAK').length;
  const leaked = Math.max(listed.length, reported, heartbeat.keysOnTargets ?? 0);
  if (leaked > 0) {
    return result(NAME, 'fail', `${plural(leaked, 'heartbeat key')} on the target (${heartbeat.prefix}…).`, {
      leaked,
    });
  }
  if (heartbeat.keysOnTargets === null) {
    return result(NAME, 'unknown', 'Nobody looked for heartbeat keys on the target.', { leaked });
  }
  return result(NAME, 'pass', 'No heartbeat key on any target.', { leaked });
}
