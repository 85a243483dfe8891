/** After the drain nobody writes any more, on either side: what still moves then is an echo, or was not done. */
import { unreadReason } from '../../reports/evidence.ts';
import { result, sum, type CheckContext, type CheckDefinition } from './check.ts';
import { changesBetween, growthIn, type ServerChange } from './server-evidence.ts';
import { isWriteCommand } from './write-commands.ts';

const NAME = 'traffic-quiet';

export const trafficQuiet: CheckDefinition = {
  name: NAME,
  summary: 'Once everything is applied, no server gets a write but heartbeats and checkpoints.',
  judge: (context) => [judgeQuiet(context)],
};

function judgeQuiet(context: CheckContext) {
  if (context.links.length === 0) return result(NAME, 'skipped', 'There were no links.');
  const unread = unreadReason(context.events, 'server');
  const changes = changesBetween(context, 'quiet', 'still-quiet');
  if (changes.length === 0) {
    const why = unread === null ? 'Nobody looked.' : `The servers could not be asked: ${unread}`;
    return result(NAME, 'unknown', why);
  }
  const hasMoved = context.findings.some(({ code }) => code === 'TOPOLOGY_CHANGED');
  const written = changes.map((change) => ({ change, writes: unaskedWrites(change, changes, hasMoved) }));
  const loud = written.filter(({ writes }) => writes.length > 0);
  const counts = {
    servers: changes.length,
    writes: sum(loud.flatMap(({ writes }) => writes.map(([, n]) => n))),
  };
  if (loud.length === 0) return result(NAME, 'pass', 'Quiet on every server.', counts);
  const words = loud.map(
    ({ change, writes }) => `${change.instance} got ${writes.map(([name, n]) => `${name} ${n}×`).join(', ')}`,
  );
  return result(NAME, 'fail', `Still written after everything was applied: ${words.join('; ')}.`, counts);
}

/**
 * Writes that are neither a heartbeat, nor a checkpoint (one HSET per transaction), nor the end of an expired key. Where slots have
 * moved, links remember such a key, and forget it when they have looked at it (SADD, SREM of keys of their own).
 */
function unaskedWrites(
  change: ServerChange,
  all: readonly ServerChange[],
  hasMoved: boolean,
): [string, number][] {
  const growth = growthIn(change.before.commands, change.after.commands);
  const transactions = growth.get('exec') ?? 0;
  const ended = (growth.get('del') ?? 0) + (growth.get('unlink') ?? 0);
  const keysExpire = all.some(({ after }) => (after.numbers['expired_keys'] ?? 0) > 0);
  return [...growth].filter(([name, count]) => {
    if (!isWriteCommand(name) || name === 'setex') return false;
    if (name === 'hset') return count > transactions;
    if (name === 'del' || name === 'unlink') return !keysExpire;
    if (name === 'sadd' || name === 'srem') return !hasMoved || !keysExpire || count > ended;
    return true;
  });
}
