/** Targets that nobody but their link is meant to write to, and that nobody minds being watched. Pure. */
import type { LinkPlan, Plan } from './plan.ts';
import { isInCircle } from './writers.ts';

/** The target is provisioned or disposable, and no link leads back from it: there applications write too. */
export function isDisposableTarget(
  { instances, links }: Pick<Plan, 'instances' | 'links'>,
  link: Pick<LinkPlan, 'source' | 'target'>,
): boolean {
  const target = instances.find(({ name }) => name === link.target);
  return target?.disposable === true && !isInCircle(links, link);
}
