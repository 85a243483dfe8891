/**
 * The slot of a key in a cluster: CRC16 (XMODEM) of its hash tag, or of the whole key, modulo 16384. Our own, because packages
 * get keys with an empty tag wrong.
 *
 * Source of the fact: the cluster specification, and keyHashSlot in cluster.c.
 */

/** Slots of a cluster. */
export const SLOTS = 16384;

const OPEN = 0x7b;
const CLOSE = 0x7d;
const POLYNOMIAL = 0x1021;

const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ POLYNOMIAL : crc << 1;
  return crc;
});

/** The slot of the key at `bytes[start, end)`. */
export function clusterSlot(bytes: Uint8Array, start = 0, end = bytes.length): number {
  const open = find(bytes, OPEN, start, end);
  if (open === -1) return crc16(bytes, start, end) & (SLOTS - 1);
  const close = find(bytes, CLOSE, open + 1, end);
  // A tag without an end, or with nothing in it, is none.
  if (close === -1 || close === open + 1) return crc16(bytes, start, end) & (SLOTS - 1);
  return crc16(bytes, open + 1, close) & (SLOTS - 1);
}

let tags: string[] | undefined;

/** A short text whose slot this is: `{tag}` in a key's name puts it there. */
export function tagOfSlot(slot: number): string {
  tags ??= findTags();
  return tags[slot] ?? '';
}

function findTags(): string[] {
  const found: string[] = Array.from({ length: SLOTS });
  const taken = new Uint8Array(SLOTS);
  let missing = SLOTS;
  for (let number = 0; missing > 0; number++) {
    const tag = number.toString(36);
    const slot = clusterSlot(Buffer.from(tag, 'latin1'));
    if (taken[slot] === 1) continue;
    taken[slot] = 1;
    found[slot] = tag;
    missing--;
  }
  return found;
}

function find(bytes: Uint8Array, byte: number, start: number, end: number): number {
  for (let at = start; at < end; at++) if (bytes[at] === byte) return at;
  return -1;
}

function crc16(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0;
  for (let at = start; at < end; at++) crc = ((crc << 8) ^ TABLE[((crc >> 8) ^ bytes[at]!) & 0xff]!) & 0xffff;
  return crc;
}
