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

/**
 * Shards of a source as they are now, each with the number it had before: they are told in the order of their slots, which may
 * have moved since, and the checkpoints of a number are those of one shard. New ones get numbers of their own.
 */
export function numberShards(shards: readonly ClusterShard[], before: readonly SourceShard[]): SourceShard[] {
  const known = (member: string): number[] =>
    before.flatMap(({ number, whereabouts }) => (whereabouts.members.includes(member) ? [number] : []));
  // The primary tells first: a replica may have been another shard's.
  const numberOf = ({ members }: ClusterShard): number | undefined => members.flatMap(known)[0];
  let next = Math.max(-1, ...before.map(({ number }) => number)) + 1;
  return shards.map((whereabouts) => ({ number: numberOf(whereabouts) ?? next++, whereabouts }));
}
