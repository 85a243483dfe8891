/** What a replicator is told of each link it hosts, and what the replicator is called. From the plan alone. */
import { join } from 'node:path';
import type { Whereabouts } from '../../engine/connect/discovery.ts';
import type { LinkOptions } from '../../engine/link/options.ts';
import type { LinkPlan } from '../plan/plan.ts';
import { circleOf } from '../plan/circles.ts';
import { isInCircle } from '../plan/writers.ts';
import { possibleParts } from './link-parts.ts';
import { idIn, type SourceShard } from './source-shard.ts';

/** Of the run: one line of JSON per key that several members of a circle have written at once. */
const CONFLICT_FILE = 'conflicts.ndjson';

/** What a link stands among. */
export interface LinkSurroundings {
  /** All links of the run. */
  links: readonly LinkPlan[];
  /** Where an instance may be found; asked again when it has moved. */
  whereaboutsOf: (instance: string) => Whereabouts;
  /** Nobody minds what watching the link's target costs. */
  isDisposable: (link: LinkPlan) => boolean;
  runFolder: string;
}

/** @param shard of the link's source that the replicator reads; undefined when that is no cluster. */
export function linkOptions(
  link: LinkPlan,
  shard: SourceShard | undefined,
  { links, whereaboutsOf, isDisposable, runFolder }: LinkSurroundings,
): LinkOptions {
  const { source, target, incrementalOnly } = link;
  const circle = hostedCircle(links, link, whereaboutsOf);
  const id = idIn(link.id, shard);
  return {
    id,
    target: whereaboutsOf(target),
    ...(shard === undefined ? {} : { siblings: possibleParts(link.id).filter((each) => each !== id) }),
    disposable: isDisposable(link),
    ...(incrementalOnly ? { incrementalOnly } : {}),
    ...(isInCircle(links, link) ? { origins: { source, target } } : {}),
    ...foreignKeys(links, link),
    ...groupOf(links, link, whereaboutsOf),
    ...(circle && { circle: { members: circle, listFile: join(runFolder, CONFLICT_FILE) } }),
  };
}

/**
 * The circle of the link, if all of its links run in one process. Shards of a cluster have processes of their own, and nobody
 * would see what crosses between them.
 */
export function hostedCircle(
  links: readonly LinkPlan[],
  link: LinkPlan,
  whereaboutsOf: (instance: string) => Whereabouts,
): string[] | undefined {
  const circle = circleOf(links, link);
  return circle?.some((name) => isCluster(whereaboutsOf(name))) === true ? undefined : circle;
}

function isCluster(where: Whereabouts): boolean {
  return 'kind' in where && where.kind === 'cluster';
}

/**
 * The name of the replicator that hosts these links of one source: the source's, unless links of it that wait for
 * nothing, or for another one, have a replicator of their own.
 */
export function replicatorName(
  links: readonly LinkPlan[],
  hosted: readonly LinkPlan[],
  shard: SourceShard | undefined,
): string {
  const [first] = hosted;
  const source = first?.source ?? '';
  const ofSource = links.filter((link) => link.source === source);
  const isApart = ofSource.some(({ startsAfter }) => startsAfter !== first?.startsAfter);
  const after = isApart && first?.startsAfter !== undefined ? `-after-${first.startsAfter}` : '';
  return `${source}${after}${shard === undefined ? '' : `-shard-${shard.number}`}`;
}

/** What other sources own of the data that the link's source shares with them: over one target, or as the two of a pair. */
function foreignKeys(links: readonly LinkPlan[], link: LinkPlan): Pick<LinkOptions, 'foreignKeys'> {
  const isBeside = (other: LinkPlan): boolean =>
    other.source !== link.source && (other.target === link.target || other.target === link.source);
  const others = links.filter(isBeside).flatMap(({ source, owns }) => {
    return owns === undefined ? [] : [{ owner: source, patterns: owns }];
  });
  return others.length === 0 ? {} : { foreignKeys: others };
}

/** Links of other groups of a Codis cluster to the same target. */
function groupOf(
  links: readonly LinkPlan[],
  { id, target, codisSlots }: LinkPlan,
  whereaboutsOf: (instance: string) => Whereabouts,
): Pick<LinkOptions, 'group'> {
  const others = links.filter(
    (link) => link.id !== id && link.target === target && link.codisSlots !== undefined,
  );
  if (codisSlots === undefined || others.length === 0) return {};
  const peers = others.map((link) => ({ link: link.id, source: whereaboutsOf(link.source) }));
  return { group: { slots: codisSlots, peers } };
}
