/** In whose process a link runs. */
import { circleOf } from './circles.ts';
import type { LinkPlan, Plan } from './plan.ts';

/**
 * The source that the process of the link is called after: its own; of a circle the first one, whose process hosts all of its
 * links. Shards of a cluster have processes of their own: with one in it the links of a circle stay apart.
 */
export function hostOf({ links, instances }: Pick<Plan, 'links' | 'instances'>, link: LinkPlan): string {
  const circle = circleOf(links, link);
  const isCluster = (name: string): boolean =>
    instances.find((instance) => instance.name === name)?.kind === 'cluster';
  return circle === undefined || circle.some(isCluster) ? link.source : (circle[0] ?? link.source);
}
