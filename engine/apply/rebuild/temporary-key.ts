/**
 * The name under which a value is built up before it is renamed onto its key: in the same slot, so that RENAME works on a
 * cluster, and always the same for a link and slot, so that what a killed engine left is found again and replaced.
 *
 * It is data to whoever replicates the target further: it must be forwarded there, or the RENAME has nothing to rename.
 */
import { OWN_KEY_PREFIX } from '../../link/options.ts';

export const TEMPORARY_PREFIX = `${OWN_KEY_PREFIX}tmp:`;

const SLOTS = 16384;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** Outside of a cluster one name serves every key. */
export function temporaryKey(link: string): string {
  return `${TEMPORARY_PREFIX}${link}`;
}

/** As `temporaryKey`, with a hash tag that puts it into the slot of `key`. */
export function temporaryKeyInSlot(link: string, key: Buffer): string {
  return `${TEMPORARY_PREFIX}{${tagOfSlot(slotOf(key))}}${link}`;
}

/**
 * The slot of a key: CRC16/XMODEM of its hash tag (what stands between the first `{` and the next `}`, unless that is
 * nothing), else of all of it, modulo 16384. Source: the Redis Cluster specification, keyHashSlot in src/cluster.c.
 */
export function slotOf(key: Uint8Array): number {
  const open = key.indexOf(OPEN);
  const close = open === -1 ? -1 : key.indexOf(CLOSE, open + 1);
  const tagged = close > open + 1;
  return crc16(key, tagged ? open + 1 : 0, tagged ? close : key.length) % SLOTS;
}

function crc16(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0;
  for (let at = start; at < end; at++) {
    crc ^= bytes[at]! << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021;
    crc &= 0xffff;
  }
  return crc;
}

/** A short number whose slot it is, per slot; filled when first needed (some 170,000 numbers to try, a few ms). */
let tags: string[] | undefined;

function tagOfSlot(slot: number): string {
  tags ??= findTags();
  return tags[slot] ?? '';
}

function findTags(): string[] {
  const found: string[] = [];
  let missing = SLOTS;
  for (let number = 0; missing > 0; number++) {
    const tag = number.toString(36);
    const bytes = Buffer.from(tag, 'latin1');
    const slot = crc16(bytes, 0, bytes.length) % SLOTS;
    if (found[slot] !== undefined) continue;
    found[slot] = tag;
    missing--;
  }
  return found;
}
