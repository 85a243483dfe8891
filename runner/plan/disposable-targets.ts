/** Targets that nobody but their link is meant to write to, and that nobody minds being watched. Pure. */
import type { LinkPlan, Plan } from './plan.ts';
import { isInCircle } from './writers.ts';

/**
 * The target is provisioned or disposable, no link leads back from it (there applications write too), and no other link
 * leads to it, whose writes would look like those of strangers.
 */
export function isDisposableTarget(
  { instances, links }: Pick<Plan, 'instances' | 'links'>,
  link: Pick<LinkPlan, 'source' | 'target'>,
): boolean {
  const target = instances.find(({ name }) => name === link.target);
  const isShared = links.filter((each) => each.target === link.target).length > 1;
  return target?.disposable === true && !isShared && !isInCircle(links, link);
}
