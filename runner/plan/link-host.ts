/** In whose process a link runs. */
import type { LinkPlan, Plan } from './plan.ts';
import { partnerOf } from './writers.ts';

/**
 * The source that the process of the link is called after: its own; of a pair, the source of the forward link, whose process
 * hosts both directions. Shards of a cluster have processes of their own.
 */
export function hostOf({ links, instances }: Pick<Plan, 'links' | 'instances'>, link: LinkPlan): string {
  const partner = link.incrementalOnly === true ? partnerOf(links, link) : undefined;
  const ends = instances.filter(({ name }) => name === link.source || name === link.target);
  const isPair = partner !== undefined && ends.every(({ kind }) => kind !== 'cluster');
  return isPair ? partner.source : link.source;
}
