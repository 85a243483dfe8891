/**
 * Hashes: plain, packed, and with a time to live per field, of which there are three layouts:
 *
 *   HASH_METADATA      smallest expiry, 8 LE │ count × ( ttl │ field │ value )    ttl: 0 = none, else expiry − smallest + 1
 *     (… _PRE_GA: no smallest expiry in front, ttl is the expiry itself)
 *   HASH_LISTPACK_EX   smallest expiry, 8 LE │ listpack of field, value, expiry (0 = none)
 *     (… _PRE_GA: no smallest expiry in front)
 *   Valkey HASH_2      count × ( field │ value │ expiry, 8 LE, −1 = none )
 *
 * Sources: rdbLoadObject in src/rdb.c of Redis 7.4 and Valkey 9.
 */
import type { Value } from './value.ts';
import type { ValueCursor } from './value-cursor.ts';

export type HashFields = Extract<Value, { type: 'hash' }>['fields'];

const NO_EXPIRY = -1;

/** count × (field, value): HASH. */
export function decodeHash(cursor: ValueCursor): HashFields {
  const fields: HashFields = [];
  for (let left = cursor.length(); left > 0; left--) {
    fields.push({ field: cursor.string(), value: cursor.string(), expireAtMs: NO_EXPIRY });
  }
  return fields;
}

/** Field, value, field, value …: zipmap, ziplist and listpack. */
export function pairFields(elements: readonly Buffer[], cursor: ValueCursor): HashFields {
  if (elements.length % 2 !== 0) cursor.fail('a field has no value');
  const fields: HashFields = [];
  for (let index = 0; index < elements.length; index += 2) {
    fields.push({ field: elements[index]!, value: elements[index + 1]!, expireAtMs: NO_EXPIRY });
  }
  return fields;
}

/** HASH_METADATA (`relative`) and HASH_METADATA_PRE_GA (`absolute`). */
export function decodeHashWithTtls(cursor: ValueCursor, times: 'relative' | 'absolute'): HashFields {
  const smallest = times === 'relative' ? cursor.timeMs() : 1;
  const fields: HashFields = [];
  for (let left = cursor.length(); left > 0; left--) {
    const ttl = cursor.length();
    const field = cursor.string();
    fields.push({ field, value: cursor.string(), expireAtMs: ttl === 0 ? NO_EXPIRY : smallest + ttl - 1 });
  }
  return fields;
}

/** Field, value, expiry …: both HASH_LISTPACK_EX. */
export function tripleFields(elements: readonly Buffer[], cursor: ValueCursor): HashFields {
  if (elements.length % 3 !== 0) cursor.fail('a field has no value or no expiry');
  const fields: HashFields = [];
  for (let index = 0; index < elements.length; index += 3) {
    const expireAtMs = Number(elements[index + 2]!.toString('latin1'));
    if (!Number.isInteger(expireAtMs) || expireAtMs < 0) cursor.fail('an expiry is not a time');
    fields.push({
      field: elements[index]!,
      value: elements[index + 1]!,
      expireAtMs: expireAtMs === 0 ? NO_EXPIRY : expireAtMs,
    });
  }
  return fields;
}

/** HASH_2 of Valkey. */
export function decodeValkeyHash(cursor: ValueCursor): HashFields {
  const fields: HashFields = [];
  for (let left = cursor.length(); left > 0; left--) {
    const field = cursor.string();
    const value = cursor.string();
    fields.push({ field, value, expireAtMs: cursor.timeMs() });
  }
  return fields;
}
