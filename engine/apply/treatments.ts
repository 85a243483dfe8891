/**
 * What happens to each command name found in a source's stream. Unlisted names are forwarded as they are: the stream holds
 * nothing but writes that took effect.
 *
 * Names arrive in any case (`flushall`, GEOADD as `zadd`), so look-ups fold the case. Stream forms: measured on Redis
 * 6.2–8.0 and Valkey 8.0.
 */

/** The kinds of treatment, and what each obliges the translator to do. */
export type Treatment =
  | 'forward'
  /** Protocol line: swallow. */
  | 'ping'
  | 'replconf'
  /** Stream state, not data. */
  | 'select'
  | 'multi'
  | 'exec'
  /** Messages are not data: drop and count. */
  | 'publish'
  /** A policy decides; the checkpoint key may be gone afterwards. */
  | 'flushall'
  | 'flushdb'
  | 'swapdb'
  /** Conditions held at the source when they were written there; a stale target must not evaluate them again. */
  | 'set'
  | 'setnx'
  | 'hsetnx'
  | 'msetnx'
  | 'renamenx'
  | 'expire'
  | 'copy'
  | 'restore';

const TREATMENTS: Record<string, Treatment> = {
  PING: 'ping',
  REPLCONF: 'replconf',
  SELECT: 'select',
  MULTI: 'multi',
  EXEC: 'exec',
  PUBLISH: 'publish',
  SPUBLISH: 'publish',
  FLUSHALL: 'flushall',
  FLUSHDB: 'flushdb',
  SWAPDB: 'swapdb',
  SET: 'set',
  SETNX: 'setnx',
  HSETNX: 'hsetnx',
  MSETNX: 'msetnx',
  RENAMENX: 'renamenx',
  PEXPIREAT: 'expire',
  EXPIREAT: 'expire',
  PEXPIRE: 'expire',
  EXPIRE: 'expire',
  COPY: 'copy',
  RESTORE: 'restore',
  'RESTORE-ASKING': 'restore',
};

interface Slot {
  name: Buffer;
  treatment: Treatment;
}

const TABLE_SIZE = 256;
const table: (Slot[] | undefined)[] = Array.from({ length: TABLE_SIZE });

for (const [name, treatment] of Object.entries(TREATMENTS)) {
  const bytes = Buffer.from(name);
  (table[hash(bytes, 0, bytes.length)] ??= []).push({ name: bytes, treatment });
}

/** The treatment of the command whose name stands at [start, end), in any case. Allocates nothing. */
export function treatmentOf(buffer: Buffer, start: number, end: number): Treatment {
  const slots = table[hash(buffer, start, end)];
  if (slots === undefined) return 'forward';
  for (const slot of slots) if (equalsFolded(slot.name, buffer, start, end)) return slot.treatment;
  return 'forward';
}

function hash(buffer: Buffer, start: number, end: number): number {
  let value = end - start;
  for (let at = start; at < end; at++) value = (value * 31 + (buffer[at]! & 0xdf)) | 0;
  return value & (TABLE_SIZE - 1);
}

/** `name` is upper-case; folding also maps "-" (0x2d) to 0x0d on both sides of `hash`, so compare it as itself here. */
function equalsFolded(name: Buffer, buffer: Buffer, start: number, end: number): boolean {
  if (end - start !== name.length) return false;
  for (let index = 0; index < name.length; index++) {
    const byte = buffer[start + index]!;
    const upper = byte >= 97 && byte <= 122 ? byte - 32 : byte;
    if (upper !== name[index]) return false;
  }
  return true;
}
