/** Waits until everything that the sources of a link had written is applied. */
import type { ReplicatorHandle } from './replicator-handle.ts';

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
