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

const OPEN = 0x7b;
const CLOSE = 0x7d;

/** Of each byte, by the reflected polynomial of CRC-32 (ISO-HDLC). */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc >>> 0;
});

/** As `codisSlot`, of the key at `buffer[start, end)`: every command of a stream asks, so nothing is allocated or called. */
export function codisSlotAt(buffer: Uint8Array, start: number, end: number): number {
  let from = start;
  let to = end;
  let open = start;
  while (open < end && buffer[open] !== OPEN) open++;
  let close = open + 1;
  while (close < end && buffer[close] !== CLOSE) close++;
  if (close < end) {
    from = open + 1;
    to = close;
  }
  let crc = -1;
  for (let at = from; at < to; at++) crc = TABLE[(crc ^ (buffer[at] ?? 0)) & 0xff]! ^ (crc >>> 8);
  return ((crc ^ -1) >>> 0) % CODIS_SLOTS;
}
