/** Where the keys of a framed command are, and whether they share a slot. */
import type { CommandFrame } from '../resp/command-framer.ts';
import { clusterSlot } from './cluster-slot.ts';
import { traitsOf, type CommandTraits } from './command-traits.ts';

/** Pushes the positions of the command's keys among its words; false when the command is not known. */
export function findKeys(
  frame: CommandFrame,
  out: number[],
  others?: (name: string) => CommandTraits | undefined,
): boolean {
  const { buffer, argStart, argEnd, argc } = frame;
  const start = argStart[0]!;
  const end = argEnd[0]!;
  const traits =
    traitsOf(buffer, start, end) ?? others?.(buffer.toString('latin1', start, end).toUpperCase());
  if (traits === undefined) return false;
  const { first, step, more } = traits;
  const last = traits.last < 0 ? argc + traits.last : Math.min(traits.last, argc - 1);
  if (first > 0) for (let at = first; at <= last; at += step) out.push(at);
  more?.(frame, out);
  return true;
}

/** What `slotOf` found instead of one slot. */
export const NO_KEYS = -1;
export const SEVERAL_SLOTS = -2;

/** The slot that the keys at these positions share, or NO_KEYS, or SEVERAL_SLOTS. */
export function slotOf({ buffer, argStart, argEnd }: CommandFrame, positions: readonly number[]): number {
  let slot = NO_KEYS;
  for (const position of positions) {
    const own = clusterSlot(buffer, argStart[position], argEnd[position]);
    if (slot !== NO_KEYS && own !== slot) return SEVERAL_SLOTS;
    slot = own;
  }
  return slot;
}
