/**
 * The name under which a value is built up before it is renamed onto its key: in the same slot, so that RENAME works on a
 * cluster, and always the same for a link and slot, so that what a killed engine left is found again and replaced.
 *
 * It is data to whoever replicates the target further: it must be forwarded there, or the RENAME has nothing to rename.
 */
import { clusterSlot, tagOfSlot } from '../../keys/cluster-slot.ts';
import { OWN_KEY_PREFIX } from '../../link/options.ts';

export const TEMPORARY_PREFIX = `${OWN_KEY_PREFIX}tmp:`;

/** Outside of a cluster one name serves every key. */
export function temporaryKey(link: string): string {
  return `${TEMPORARY_PREFIX}${link}`;
}

/** As `temporaryKey`, with a hash tag that puts it into the slot of `key`. */
export function temporaryKeyInSlot(link: string, key: Buffer): string {
  return `${TEMPORARY_PREFIX}{${tagOfSlot(clusterSlot(key))}}${link}`;
}
