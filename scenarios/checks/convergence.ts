/** Every pair of instances that should hold the same data was really held against each other. */
import { plural } from '../../reports/display.ts';
import type { Comparison, LinkResult } from '../../reports/results.ts';
import { result, type CheckContext, type CheckDefinition } from './check.ts';

const NAME = 'convergence';

export const convergence: CheckDefinition = {
  name: NAME,
  summary: 'Every link that carried data was compared, none left out.',
  judge: (context) => [judgeCoverage(context)],
};

function judgeCoverage({ links, comparison }: CheckContext) {
  if (links.length === 0) return result(NAME, 'skipped', 'There were no links.');
  if (comparison === null) return result(NAME, 'unknown', 'Nothing was compared.');
  const compared = links.filter((link) => wasCompared(link, comparison));
  const left = links.filter(
    (link) => carriedData(link) && !compared.includes(link) && !isBetweenEquals(link, compared),
  );
  const counts = { links: links.length, compared: links.length - left.length };
  if (left.length === 0) return result(NAME, 'pass', `${plural(links.length, 'link')} compared.`, counts);
  const names = left.map(({ link }) => link).join(', ');
  return result(NAME, 'unknown', `Not one key was compared for link ${names}, which carried data.`, counts);
}

function carriedData({ fullSync, stream }: LinkResult): boolean {
  return (fullSync?.keys ?? 0) + stream.commands > 0;
}

/** By itself, or together with others that share its target. */
function wasCompared({ link }: LinkResult, comparison: Comparison): boolean {
  const { counts, types, differences, parts = [] } = comparison;
  const names = new Set([...counts, ...types, ...differences].map((row) => row.link));
  // All keys deleted again on both sides leaves nothing to list.
  if (names.size === 0) return true;
  const together = parts.filter((part) => part.links.includes(link));
  return names.has(link) || together.some(({ id }) => names.has(id));
}

/** The way back of a pair, or what closes a ring: its ends were held against each other, directly or over others. */
function isBetweenEquals({ source, target }: LinkResult, compared: readonly LinkResult[]): boolean {
  const reached = new Set([source]);
  for (let before = 0; before < reached.size;) {
    before = reached.size;
    for (const link of compared) {
      if (reached.has(link.source)) reached.add(link.target);
      else if (reached.has(link.target)) reached.add(link.source);
    }
  }
  return reached.has(target);
}
