/** Which keys belong to a link's source, as far as its plan says. */
import { codisSlot } from '../../engine/keys/codis-slot.ts';
import { KeyPattern } from '../../engine/keys/key-pattern.ts';
import type { LinkPlan } from './plan.ts';

/** Undefined when nothing was said. */
export function ownershipOf({ codisSlots, owns }: LinkPlan): ((key: Buffer) => boolean) | undefined {
  if (codisSlots !== undefined) {
    return (key) => {
      const slot = codisSlot(key);
      return codisSlots.some(([first, last]) => slot >= first && slot <= last);
    };
  }
  if (owns === undefined) return undefined;
  const patterns = owns.map((text) => new KeyPattern(text));
  return (key) => patterns.some((pattern) => pattern.matches(key));
}
