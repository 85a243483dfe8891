/**
 * Which of several instances a key is in. The instances of one dataset or workload share its keys: every key is in exactly
 * one of them, by its slot where they are groups of a Codis cluster, else by a hash of its name.
 */
import { crc32 } from 'node:zlib';
import { codisSlot, CODIS_SLOTS } from '../../engine/keys/codis-slot.ts';

/** The instance that a key belongs to, or undefined when it is none of those. */
export type Placement = (key: Buffer) => string | undefined;

/** About the same number of keys for each. */
export function placeEvenly(instances: readonly string[]): Placement {
  return (key) => instances[crc32(key) % instances.length];
}

/**
 * The slots of a Codis cluster and the groups that have them. Slots move while clients write, as they do in life: a proxy
 * holds back what is for a slot on the move, until its keys are at the new group.
 */
export class CodisSlotTable {
  readonly #groups: (string | undefined)[] = Array.from({ length: CODIS_SLOTS });
  readonly #held = new Set<number>();

  constructor(groups: readonly { name: string; ranges: readonly (readonly [number, number])[] }[]) {
    for (const { name, ranges } of groups)
      for (const [first, last] of ranges)
        for (let slot = first; slot <= last; slot++) this.#groups[slot] = name;
  }

  /** The group that has the key's slot; undefined while it is held. */
  readonly place: Placement = (key) => {
    const slot = codisSlot(key);
    return this.#held.has(slot) ? undefined : this.#groups[slot];
  };

  groupOf(slot: number): string | undefined {
    return this.#groups[slot];
  }

  /** Nobody writes to keys of the slot until it is moved. */
  hold(slot: number): void {
    this.#held.add(slot);
  }

  /** From now on the group has the slot. */
  move(slot: number, group: string): void {
    this.#held.delete(slot);
    this.#groups[slot] = group;
  }
}
