/** One shard of a source that is a cluster: what links are called there, and where it is. */
import type { ClusterShard, Whereabouts } from '../../engine/connect/discovery.ts';
import { partId } from './link-parts.ts';

export interface SourceShard {
  number: number;
  whereabouts: ClusterShard;
}

/** What the link is called in the replicator of this shard. */
export function idIn(link: string, shard: SourceShard | undefined): string {
  return shard === undefined ? link : partId(link, shard.number);
}

/** Where the shard is, in a cluster that may have moved. */
export function shardOf(source: Whereabouts, shard: SourceShard | undefined): Whereabouts {
  if (shard === undefined) return source;
  const seeds = 'kind' in source && source.kind === 'cluster' ? source.seeds : shard.whereabouts.seeds;
  return { ...shard.whereabouts, seeds };
}
