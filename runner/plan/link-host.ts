/** In whose process a link runs. */
import { circleOf } from './circles.ts';
import type { LinkPlan, Plan } from './plan.ts';

/**
 * The source that the process of the link is called after: its own; of a circle the first one, whose process hosts all of its
 * links. Shards of a cluster have processes of their own, and are in no circle.
 */
export function hostOf({ links }: Pick<Plan, 'links'>, link: LinkPlan): string {
  return circleOf(links, link)?.[0] ?? link.source;
}
