/** Waits until everything that the sources of a link had written is applied. */
import type { Whereabouts } from '../../engine/connect/discovery.ts';
import type { LinkMonitor } from './link-monitor.ts';
import type { ReplicatorHandle } from './replicator-handle.ts';
import { readPosition } from './source-position.ts';
import { idIn, shardOf, type SourceShard } from './source-shard.ts';

const POLL_MS = 50;
/** A drain that does not move for so long is given up. */
const DRAIN_STALL_MS = 60_000;

/** What of a link one replicator does, and how far it is to come. */
export interface DrainedPart {
  id: string;
  handle: ReplicatorHandle;
  /** Offset of its source. */
  wanted: () => bigint;
  /** The source is asked again when its history is not the one that the link follows: it was failed over meanwhile. */
  renew: () => Promise<void>;
  applied: () => bigint;
  deferred: () => number;
}

/** Asks the source how far it is. @throws SyncError CONNECT. */
export async function drainedPart(
  monitor: LinkMonitor,
  handle: ReplicatorHandle,
  of: { source: Whereabouts; shard: SourceShard | undefined },
): Promise<DrainedPart> {
  const id = idIn(monitor.plan.id, of.shard);
  const isOver = (): boolean => monitor.isFinished(id);
  const ask = async (): ReturnType<typeof readPosition> => {
    const over = new AbortController();
    const looking = setInterval(() => isOver() && over.abort(), POLL_MS);
    try {
      return await readPosition(shardOf(of.source, of.shard), over.signal);
    } catch (error) {
      // Of a shard that is no more nothing more is to come.
      if (isOver()) return { offset: 0n };
      throw error;
    } finally {
      clearInterval(looking);
    }
  };
  let position = await ask();
  // After a failover the link may still be on a history that has ended: its offsets say nothing about the new one.
  const isSame = (): boolean =>
    position.replid === undefined || monitor.partStatus(id)?.replid === position.replid;
  return {
    id,
    handle,
    wanted: () => (isOver() ? 0n : position.offset),
    renew: async () => {
      if (!isSame()) position = await ask().catch(() => position);
    },
    applied: () => {
      const status = monitor.partStatus(id);
      // The history it follows is known before its snapshot is taken up: until then the offset is still of the one before.
      const isThere = status?.state !== 'Retrying' && status?.state !== 'Initializing';
      return (isSame() && isThere) || isOver() ? BigInt(status?.appliedOffset ?? -1) : -1n;
    },
    deferred: () => (isOver() ? 0 : (monitor.partStatus(id)?.deferred ?? 0)),
  };
}

/** Everything is applied, with the deadlines that the source has set. */
function isDrained({ applied, wanted, deferred }: DrainedPart): boolean {
  return applied() >= wanted() && deferred() === 0;
}

export function totalOf(numbers: readonly bigint[]): bigint {
  return numbers.reduce((sum, each) => sum + each, 0n);
}

/** Resolves when every part has come so far, when nothing moves any more, or when it is over. */
export async function drainParts(parts: readonly DrainedPart[], isOver: () => boolean): Promise<void> {
  let last = '';
  let movedAt = performance.now();
  while (!parts.every(isDrained) && !isOver()) {
    for (const part of parts) if (part.applied() >= part.wanted()) part.handle.settle(part.id);
    await Promise.all(parts.map(({ handle }) => handle.status()));
    await Promise.all(parts.map((part) => part.renew()));
    const now = parts.map((part) => `${part.applied()} ${part.deferred()}`).join();
    if (now !== last) {
      last = now;
      movedAt = performance.now();
    }
    if (performance.now() - movedAt > DRAIN_STALL_MS) return;
    if (!parts.every(isDrained)) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
