/**
 * What happens to each command name found in a source's stream. Unlisted names are forwarded as they are: the stream holds
 * nothing but writes that took effect.
 *
 * Names arrive in any case (`flushall`, GEOADD as `zadd`), so look-ups fold the case. Stream forms: measured on Redis
 * 6.2–8.0 and Valkey 8.0.
 */
import { NameTable } from './translate/name-table.ts';

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
  /** Messages are not data: a policy decides. */
  | 'publish'
  /** Scripts as text, from old sources: a policy decides, and their bodies are kept. */
  | 'eval'
  | 'evalsha'
  | 'script'
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
  | 'restore'
  /** What a Codis group gets from another one. */
  | 'slotsrestore'
  | 'slotsrestore-async'
  /** Forwarded; an expiry goes, moves, or is set with it (expiry/). */
  | 'delete'
  | 'rename'
  | 'move'
  | 'fields';

const TREATMENTS: Record<string, Treatment> = {
  PING: 'ping',
  REPLCONF: 'replconf',
  SELECT: 'select',
  MULTI: 'multi',
  EXEC: 'exec',
  PUBLISH: 'publish',
  SPUBLISH: 'publish',
  EVAL: 'eval',
  EVALSHA: 'evalsha',
  SCRIPT: 'script',
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
  SLOTSRESTORE: 'slotsrestore',
  'SLOTSRESTORE-ASYNC': 'slotsrestore-async',
  DEL: 'delete',
  UNLINK: 'delete',
  RENAME: 'rename',
  MOVE: 'move',
  HPEXPIREAT: 'fields',
  HEXPIREAT: 'fields',
  HSETEX: 'fields',
};

const table = new NameTable<Treatment>();
for (const [name, treatment] of Object.entries(TREATMENTS)) table.set(name, treatment);

/** The treatment of the command whose name stands at [start, end), in any case. Allocates nothing. */
export function treatmentOf(buffer: Buffer, start: number, end: number): Treatment {
  return table.get(buffer, start, end) ?? 'forward';
}
