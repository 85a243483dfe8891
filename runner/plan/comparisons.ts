/**
 * What is compared with what at the end of a run, by the way data flows: each target with what comes into it directly, and
 * the end of a chain with its beginning. Pure.
 */
import type { LinkPlan } from './plan.ts';

export interface ComparisonPlan {
  /** Names it in the report; of one link its id. */
  id: string;
  /**
   * link: one source, one target. union: several sources hold the target's keys together. end-to-end: over several hops.
   */
  kind: 'link' | 'union' | 'end-to-end';
  /** Instances, in the order of the links. */
  sources: string[];
  target: string;
  /** Ids of the links on the way, in the order of the flow; of several sources those that come into the target. */
  links: string[];
}

/** A reverse needs no comparison of its own: each is made in both directions. */
export function comparisonsOf(links: readonly LinkPlan[]): ComparisonPlan[] {
  const copying = links.filter(({ incrementalOnly }) => incrementalOnly !== true);
  const targets = [...new Set(copying.map(({ target }) => target))];
  return [
    ...targets.map((target) => directComparison(copying, target)),
    ...targets.flatMap((target) => endToEnd(copying, target) ?? []),
  ];
}

function directComparison(links: readonly LinkPlan[], target: string): ComparisonPlan {
  const into = links.filter((link) => link.target === target);
  const sources = into.map(({ source }) => source);
  const ids = into.map(({ id }) => id);
  const [only = ''] = ids;
  return ids.length === 1
    ? { id: only, kind: 'link', sources, target, links: ids }
    : { id: `all-to-${target}`, kind: 'union', sources, target, links: ids };
}

/** Undefined unless the target is the end of a chain of several hops. */
function endToEnd(links: readonly LinkPlan[], target: string): ComparisonPlan | undefined {
  if (links.some(({ source }) => source === target)) return undefined;
  const way = wayTo(links, target);
  const sources = [...new Set(way.map(({ source }) => source))].filter(
    (name) => !links.some((link) => link.target === name),
  );
  const direct = links.filter((link) => link.target === target).map(({ source }) => source);
  if (sources.every((name) => direct.includes(name))) return undefined;
  return {
    id: `${sources.join('+')}-to-${target}`,
    kind: 'end-to-end',
    sources,
    target,
    links: way.map(({ id }) => id),
  };
}

/** Every link on a way that ends at the target, the nearest last. */
function wayTo(links: readonly LinkPlan[], target: string, seen: readonly string[] = []): LinkPlan[] {
  if (seen.includes(target)) return [];
  const into = links.filter((link) => link.target === target);
  const before = into.flatMap(({ source }) => wayTo(links, source, [...seen, target]));
  return [...new Set([...before, ...into])];
}
