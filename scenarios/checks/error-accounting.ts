/** Every write that a target refused is in the engine's own report: nothing is skipped in silence. */
import { plural } from '../../reports/display.ts';
import { unreadReason } from '../../reports/evidence.ts';
import { result, sum, type CheckContext, type CheckDefinition } from './check.ts';
import { effectiveFaults } from './faults-in-effect.ts';
import { changesBetween, growthIn, type ServerChange } from './server-evidence.ts';
import { isWriteCommand } from './write-commands.ts';

const NAME = 'error-accounting';

/** A link asks its target with this which payloads it takes; a key that is missing for it shows in the comparison. */
const PROBED = 'restore';

export const errorAccounting: CheckDefinition = {
  name: NAME,
  summary: 'A target counts no more refused or failed writes than the links report.',
  judge: (context) => [judgeErrors(context)],
};

function judgeErrors(context: CheckContext) {
  if (context.links.length === 0) return result(NAME, 'skipped', 'There were no links.');
  if (context.links.some(({ unmeasured }) => unmeasured?.includes('errors') === true))
    return result(NAME, 'skipped', 'Whoever replicated does not report refusals.');
  // Where clients write too, nobody can tell whose write was refused: their scripts fail on purpose, and say nothing of it.
  const sources = new Set(context.links.map(({ source }) => source));
  const targets = new Set(context.links.map(({ target }) => target).filter((name) => !sources.has(name)));
  if (targets.size === 0) return result(NAME, 'skipped', 'Every target is written to by clients too.');
  const changes = changesBetween(context, 'start', 'quiet').filter(({ instance }) => targets.has(instance));
  if (changes.length === 0) {
    const unread = unreadReason(context.events, 'server');
    if (unread === null && !context.ended) return result(NAME, 'unknown', 'Nobody asked the targets.');
    return result(NAME, 'skipped', 'No target could be asked at both ends of one life.');
  }
  const accounts = changes.map((change) => ({ change, ...accountOf(context, change) }));
  const counts = {
    refused: sum(accounts.map(({ refused }) => refused)),
    reported: sum(accounts.map(({ reported }) => reported)),
  };
  const short = accounts.filter(({ refused, reported }) => refused > reported);
  const silent = short.find(({ change, reported }) => reported === 0 && !isFaulty(context, change.instance));
  const [partly] = short;
  if (silent === undefined && partly !== undefined) {
    const { change, refused, reported } = partly;
    const summary = `${change.instance} refused ${plural(refused, 'write')}, ${reported} reported: a transaction that is refused is reported once, and faults try writes themselves.`;
    return result(NAME, 'pass', summary, counts);
  }
  if (silent === undefined)
    return result(
      NAME,
      'pass',
      `${plural(counts.refused, 'refused write')}, ${counts.reported} reported.`,
      counts,
    );
  const summary = `${silent.change.instance} refused ${plural(silent.refused, 'write')} (${silent.words}); ${silent.reported} of them are reported.`;
  return result(NAME, 'fail', summary, counts);
}

/** A fault at work there has its own writes refused, to prove that it bites; one on the way there takes answers with it. */
function isFaulty(context: CheckContext, instance: string): boolean {
  const links = context.links.filter(({ target }) => target === instance);
  const places = [instance, ...links.map(({ link }) => `link:${link}`)];
  return effectiveFaults(context).some(({ where }) => places.includes(where?.split('.')[0] ?? ''));
}

function accountOf(
  { links }: CheckContext,
  { instance, before, after }: ServerChange,
): { refused: number; reported: number; words: string } {
  const failures = [...growthIn(before.failures, after.failures)].filter(
    ([name]) => isWriteCommand(name) && name !== PROBED,
  );
  const byLinks = links
    .filter(({ target }) => target === instance)
    .flatMap(({ errors }) => Object.values(errors));
  return {
    refused: sum(failures.map(([, count]) => count)),
    reported: sum(byLinks),
    words: failures.map(([name, count]) => `${name} ${count}×`).join(', '),
  };
}
