/** How many keys the links of a source have on their targets: what a source that comes back with less is measured by. */
import { keysOfLink } from '../apply/checkpoint.ts';
import { openWhere } from '../connect/discover.ts';
import { slotCheckpointKey, taggedLink } from '../apply/cluster/slot-checkpoints.ts';
import { askTopology, type Shard } from '../connect/cluster-topology.ts';
import { Connection } from '../connect/connection.ts';
import type { ClusterEntry, Whereabouts } from '../connect/discovery.ts';
import { clusterSlot } from '../keys/cluster-slot.ts';
import { parseInfo } from '../resp/reply-text.ts';
import { countKeys } from './source-facts.ts';

const TIMEOUT_MS = 5000;

export interface LinkTarget {
  link: string;
  target: Whereabouts;
}

/**
 * Of the fullest target, without what the link keeps there itself; null when none answers. A cluster that gets the keys of
 * many shards tells nothing about one of them, and is not asked for it. Never throws.
 */
export async function countTargetKeys(
  targets: readonly LinkTarget[],
  signal: AbortSignal,
  source: Whereabouts,
): Promise<number | null> {
  const counts = await Promise.all(targets.map((each) => countOn(each, signal, source)));
  const known = counts.filter((count) => count !== null);
  return known.length === 0 ? null : Math.max(...known);
}

async function countOn(
  { link, target }: LinkTarget,
  signal: AbortSignal,
  source: Whereabouts,
): Promise<number | null> {
  try {
    if ('kind' in target && target.kind === 'cluster')
      return isShard(source) ? null : await countOnCluster(link, target, signal);
    await using connection = await openWhere(target, { replyTimeoutMs: TIMEOUT_MS, signal });
    const keys = countKeys(parseInfo(await connection.call('INFO', 'keyspace')));
    return keys - Number(await connection.call('EXISTS', ...keysOfLink(link)));
  } catch {
    // A target that is down, or may not be asked: the judgement is made without it.
    return null;
  }
}

function isShard(source: Whereabouts): boolean {
  return 'kind' in source && source.kind === 'cluster-shard';
}

/** On all shards; each slot has a checkpoint of the link, which is not counted. @throws what a node answers or does. */
async function countOnCluster(link: string, { seeds }: ClusterEntry, signal: AbortSignal): Promise<number> {
  const options = { replyTimeoutMs: TIMEOUT_MS, signal };
  const { shards } = await askTopology(seeds, { connectTimeoutMs: TIMEOUT_MS, ...options });
  const counts = await Promise.all(
    // One that has given away its last slot may be a replica by now, and has all keys of its primary.
    shards.filter(hasSlots).map(async (shard) => {
      await using connection = await Connection.open(shard.primary.endpoint, options);
      const keys = countKeys(parseInfo(await connection.call('INFO', 'keyspace')));
      const own = await connection.pipeline(ownKeysOn(link, shard).map((key) => ['EXISTS', key]));
      return own.reduce<number>((left, reply) => left - (reply === 1 ? 1 : 0), keys);
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

function hasSlots({ slots }: Shard): boolean {
  return slots.length > 0;
}

function ownKeysOn(link: string, { slots }: Shard): string[] {
  const marks = slots.flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, index) => slotCheckpointKey(link, first + index)),
  );
  const records = keysOfLink(taggedLink(link)).filter((key) => {
    const slot = clusterSlot(Buffer.from(key));
    return slots.some(([first, last]) => first <= slot && slot <= last);
  });
  return [...marks, ...records];
}
