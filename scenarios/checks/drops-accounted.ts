/** Nothing the target refused was left behind. */
import { plural } from '../../reports/display.ts';
import { result, sum, type CheckContext, type CheckDefinition } from './check.ts';
import { linksInSync } from './links-in-sync.ts';

const NAME = 'drops-accounted';

/**
 * Refusals the engine answers by sending the same command again until it is taken. They are harmless once the link has
 * drained: what follows a refused command is not applied before it.
 */
const RETRIED: readonly string[] = [
  'OOM',
  'LOADING',
  'BUSY',
  'MASTERDOWN',
  'READONLY',
  'NOREPLICAS',
  'MISCONF',
  'NOPERM',
  'NOAUTH',
  'MOVED',
  'ASK',
  'TRYAGAIN',
  'CLUSTERDOWN',
];

export const dropsAccounted: CheckDefinition = {
  name: NAME,
  summary: 'The target refused no command, or took it in the end.',
  judge: (context) => [judgeDrops(context)],
};

function judgeDrops(context: CheckContext) {
  if (context.links.length === 0) return result(NAME, 'skipped', 'There were no links.');
  if (context.links.every(({ unmeasured }) => unmeasured?.includes('errors') === true))
    return result(NAME, 'skipped', 'Whoever replicated does not tell what its target refused.');
  const inSync = linksInSync.judge(context).every((check) => check.verdict === 'pass');
  const errors = context.links.flatMap((link) =>
    Object.entries(link.errors).map(([word, count]) => ({ word, count, link })),
  );
  const refused = errors.filter(({ word, count }) => count > 0 && !(inSync && RETRIED.includes(word)));
  const counts = {
    refused: sum(refused.map(({ count }) => count)),
    retried: sum(errors.map(({ count }) => count)),
  };
  counts.retried -= counts.refused;
  if (refused.length > 0) {
    const words = refused.map(({ word, count, link }) => `${word} ${count}× on link ${link.link}`).join(', ');
    return result(NAME, 'fail', `The target refused ${plural(counts.refused, 'command')}: ${words}.`, counts);
  }
  const applied = sum(context.links.map((link) => (link.fullSync?.keys ?? 0) + link.stream.commands));
  if (applied === 0) return result(NAME, 'skipped', 'Nothing was applied.', counts);
  const retried = counts.retried > 0 ? `, ${plural(counts.retried, 'refusal')} retried until taken` : '';
  return result(NAME, 'pass', `No command was lost to a refusal${retried}.`, counts);
}
