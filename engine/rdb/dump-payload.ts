/**
 * The payload of DUMP and RESTORE.
 *
 *   ┌──────┬───────────┬─────────────────┬───────────────────────────────┐
 *   │ type │ value …   │ version, 2 LE   │ CRC64 of all before it, 8 LE  │
 *   └──────┴───────────┴─────────────────┴───────────────────────────────┘
 *
 * A target checks both (createDumpPayload and verifyDumpPayload in src/cluster.c of Redis): its own version must be at
 * least the payload's.
 */
import { corrupt } from './corrupt.ts';
import { crc64Into, crc64Matches } from './crc64.ts';

/** Bytes behind the value: version and checksum. */
export const DUMP_FOOTER_BYTES = 10;

/** Length of the payload of a value of `valueBytes` bytes. */
export function dumpPayloadLength(valueBytes: number): number {
  return 1 + valueBytes + DUMP_FOOTER_BYTES;
}

/**
 * Writes type, value, version and checksum at `out[at]`; returns the offset behind them. `out` must have room for
 * `dumpPayloadLength(value.length)` bytes. Allocates nothing.
 */
export function writeDumpPayload(
  type: number,
  value: Uint8Array,
  version: number,
  out: Uint8Array,
  at: number,
): number {
  out[at] = type;
  out.set(value, at + 1);
  return writeDumpFooter(out, at, at + 1 + value.length, version);
}

/**
 * Writes version and checksum behind `out[start, end)`, which already holds type and value; returns the offset behind
 * them.
 */
export function writeDumpFooter(out: Uint8Array, start: number, end: number, version: number): number {
  out[end] = version;
  out[end + 1] = version >>> 8;
  crc64Into(out, start, end + 2, out, end + 2);
  return end + DUMP_FOOTER_BYTES;
}

export interface DumpPayload {
  type: number;
  /** A view into the payload. */
  value: Buffer;
  version: number;
}

/**
 * Takes a payload apart. An all-zero checksum passes, as it does for `RESTORE` (rdbchecksum no).
 * @throws SyncError SNAPSHOT_CORRUPT when it is too short or its checksum is wrong.
 */
export function splitDumpPayload(payload: Buffer): DumpPayload {
  const end = payload.length - DUMP_FOOTER_BYTES;
  if (end < 1) throw corrupt(`a DUMP payload of ${payload.length} bytes is too short`, 'DUMP payload');
  const absent = payload.readUInt32LE(end + 2) === 0 && payload.readUInt32LE(end + 6) === 0;
  if (!absent && !crc64Matches(payload, 0, end + 2, payload, end + 2)) {
    throw corrupt('the checksum of a DUMP payload is wrong', `DUMP payload byte ${end + 2}`);
  }
  return { type: payload[0]!, value: payload.subarray(1, end), version: payload.readUInt16LE(end) };
}

/**
 * Whether two payloads hold the same type and value bytes, whatever version wrote them. True proves equality; false
 * proves nothing (order and encoding may differ).
 */
export function sameBody(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length || a.length <= DUMP_FOOTER_BYTES) return false;
  const end = a.length - DUMP_FOOTER_BYTES;
  return Buffer.compare(a.subarray(0, end), b.subarray(0, end)) === 0;
}
