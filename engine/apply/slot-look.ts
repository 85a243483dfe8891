/** Does a DEL of a source cluster's shard mean that a key is gone, or that its slot is on the move? Only the source can tell. */
import type { SourceSlots } from '../link/source-slots.ts';
import { delay } from '../psync/backoff.ts';

/** How often, how far apart, a source is asked for its slots before what it has sent is applied as it is. */
const LOOKS_MAX = 20;
const LOOK_PAUSE_MS = 250;

/**
 * Looks at the shard's slots if the chunk holds a deletion, or may, and nobody has looked since it arrived (wall clock, ms). A
 * source that is away, or none of a cluster, does not hold up what it has sent for long.
 *
 * @throws the signal's reason.
 */
export async function lookAtSlots(
  slots: SourceSlots | undefined,
  { chunk, atMs }: { chunk: Buffer; atMs?: number | undefined },
  signal: AbortSignal,
): Promise<void> {
  if (slots === undefined || !mayDelete(chunk)) return;
  for (let failed = 0; failed < LOOKS_MAX && !slots.isKnownAt(atMs ?? -Infinity);) {
    signal.throwIfAborted();
    // One that had begun before the chunk came is no answer: then another one is.
    if (await hasLooked(slots, signal)) continue;
    failed++;
    await delay(LOOK_PAUSE_MS, signal);
  }
  // What was seen may have stopped the link.
  signal.throwIfAborted();
}

async function hasLooked(slots: SourceSlots, signal: AbortSignal): Promise<boolean> {
  try {
    await slots.look(signal);
    return true;
  } catch {
    return false;
  }
}

/** The bytes hold a deletion, or may: a command that is cut is looked for in both halves. */
export function mayDelete(chunk: Buffer): boolean {
  return chunk.includes('DEL\r\n') || chunk.includes('LINK\r\n');
}
