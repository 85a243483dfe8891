/**
 * The slot of a key in Codis: CRC32 of its hash tag, or of the whole key, modulo 1024. Unlike a cluster's, an empty tag counts
 * as a tag: `{}a` and `{}b` share the slot of the empty text.
 *
 * Source of the fact: Hash in pkg/proxy/mapper.go of CodisLabs/codis.
 */
import { crc32 } from 'node:zlib';

/** Slots of a Codis product. */
export const CODIS_SLOTS = 1024;

/** The slot of a key, 0 … 1023. */
export function codisSlot(key: Buffer | string): number {
  const bytes = typeof key === 'string' ? Buffer.from(key) : key;
  const open = bytes.indexOf('{');
  const close = open === -1 ? -1 : bytes.indexOf('}', open + 1);
  return crc32(close === -1 ? bytes : bytes.subarray(open + 1, close)) % CODIS_SLOTS;
}
