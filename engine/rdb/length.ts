/**
 * Lengths and strings of the snapshot format, at the level of "where does it end".
 *
 *   00xxxxxx                      6-bit length
 *   01xxxxxx yyyyyyyy             14-bit length
 *   10000000 + 4 bytes            32-bit length, big-endian
 *   10000001 + 8 bytes            64-bit length, big-endian
 *   11000000/1/2 + 1/2/4 bytes    a string that is a little-endian integer
 *   11000011 clen ulen + clen     an LZF-compressed string
 *
 * Source: rdbLoadLenByRef and rdbGenericLoadStringObject in src/rdb.c. Offsets may exceed 2^31: they are numbers.
 */
import { constants } from 'node:buffer';
import { STRING_ENCODING } from './format.ts';
import { lzfDecompress, lzfSizePossible } from './lzf.ts';

/** Returned instead of an offset: more bytes are needed to tell. */
export const INCOMPLETE = -1;
/** Returned instead of an offset: no such encoding. */
export const MALFORMED = -2;

const TWO_32 = 4294967296;

/** The offset behind the plain length at `at`, INCOMPLETE or MALFORMED. */
export function lengthEnd(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) return INCOMPLETE;
  const first = bytes[at]!;
  let next: number;
  if (first < 0x40) next = at + 1;
  else if (first < 0x80) next = at + 2;
  else if (first === 0x80) next = at + 5;
  else if (first === 0x81) next = at + 9;
  else return MALFORMED;
  return next > end ? INCOMPLETE : next;
}

/** The plain length at `at`, which `lengthEnd` has found complete. Rounded above 2^53: use `readLength64` for ids. */
export function readLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  if (first < 0x40) return first;
  if (first < 0x80) return ((first & 0x3f) << 8) | bytes[at + 1]!;
  if (first === 0x80) return readUint32(bytes, at + 1);
  return readUint32(bytes, at + 1) * TWO_32 + readUint32(bytes, at + 5);
}

/** As `readLength`, exact over all 64 bits (stream ids, module numbers). */
export function readLength64(bytes: Uint8Array, at: number): bigint {
  if (bytes[at]! < 0x81) return BigInt(readLength(bytes, at));
  return (BigInt(readUint32(bytes, at + 1)) << 32n) | BigInt(readUint32(bytes, at + 5));
}

function readUint32(bytes: Uint8Array, at: number): number {
  return bytes[at]! * 16777216 + ((bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!);
}

/**
 * The offset behind the string at `at`; it may lie beyond `end` (then the bytes up to it are still missing).
 * INCOMPLETE when even the length is cut, MALFORMED for an unknown encoding.
 */
export function stringEnd(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) return INCOMPLETE;
  const first = bytes[at]!;
  if (first < 0x40) return at + 1 + first;
  return longStringEnd(bytes, at, end, first);
}

function longStringEnd(bytes: Uint8Array, at: number, end: number, first: number): number {
  if (first < 0xc0) {
    const next = lengthEnd(bytes, at, end);
    return next < 0 ? next : next + readLength(bytes, at);
  }
  switch (first) {
    case STRING_ENCODING.INT8:
      return at + 2;
    case STRING_ENCODING.INT16:
      return at + 3;
    case STRING_ENCODING.INT32:
      return at + 5;
    case STRING_ENCODING.LZF: {
      const afterCompressed = lengthEnd(bytes, at + 1, end);
      if (afterCompressed < 0) return afterCompressed;
      const next = lengthEnd(bytes, afterCompressed, end);
      return next < 0 ? next : next + readLength(bytes, at + 1);
    }
    default:
      return MALFORMED;
  }
}

/**
 * The content of the string that occupies `bytes[at, stop)`, as `stringEnd` found it: a view for a plain string, a new
 * buffer for integers and compressed ones, `undefined` when the compressed bytes are wrong.
 */
export function readString(bytes: Buffer, at: number, stop: number): Buffer | undefined {
  const first = bytes[at]!;
  if (first < 0x40) return bytes.subarray(at + 1, stop);
  switch (first) {
    case STRING_ENCODING.INT8:
      return Buffer.from(String(bytes.readInt8(at + 1)), 'latin1');
    case STRING_ENCODING.INT16:
      return Buffer.from(String(bytes.readInt16LE(at + 1)), 'latin1');
    case STRING_ENCODING.INT32:
      return Buffer.from(String(bytes.readInt32LE(at + 1)), 'latin1');
    case STRING_ENCODING.LZF:
      return readCompressed(bytes, at, stop);
    default:
      return bytes.subarray(stop - readLength(bytes, at), stop);
  }
}

/** Where the content of the string in `bytes[at, stop)` begins when it stands there as it is; -1 when it is encoded. */
export function plainStringStart(bytes: Uint8Array, at: number, stop: number): number {
  const first = bytes[at]!;
  if (first < 0x40) return at + 1;
  return first < STRING_ENCODING.INT8 ? stop - readLength(bytes, at) : -1;
}

function readCompressed(bytes: Buffer, at: number, stop: number): Buffer | undefined {
  const compressed = readLength(bytes, at + 1);
  const uncompressed = readLength(bytes, lengthEnd(bytes, at + 1, stop));
  if (!lzfSizePossible(compressed, uncompressed) || uncompressed > constants.MAX_LENGTH) return undefined;
  const output = Buffer.allocUnsafe(uncompressed);
  return lzfDecompress(bytes, stop - compressed, stop, output) ? output : undefined;
}
