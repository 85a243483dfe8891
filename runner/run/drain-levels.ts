/** In which order links are drained: one that reads what another writes comes after it; the ways back come last. Pure. */
import type { LinkPlan } from '../plan/plan.ts';

/** Links of one level can be drained at the same time. */
export function drainLevels(links: readonly LinkPlan[]): LinkPlan[][] {
  const levels: LinkPlan[][] = [];
  let left = links.filter(({ incrementalOnly }) => incrementalOnly !== true);
  while (left.length > 0) {
    const fed = new Set(left.map(({ target }) => target));
    const ready = left.filter(({ source }) => !fed.has(source));
    // Only a circle of links that copy would leave none, and no spec has one.
    const level = ready.length > 0 ? ready : left;
    levels.push(level);
    left = left.filter((link) => !level.includes(link));
  }
  const back = links.filter(({ incrementalOnly }) => incrementalOnly === true);
  return back.length > 0 ? [...levels, back] : levels;
}
