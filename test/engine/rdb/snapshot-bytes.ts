/** Writes snapshot bytes by hand, for encodings and faults no server at hand writes. Test support only. */
import { Crc64, crc64Into } from '../../../engine/rdb/crc64.ts';

export type Piece = Buffer | string | number | readonly Piece[];

/** Joins pieces: a number is one byte, a string its latin1 bytes. */
export function bytes(...pieces: readonly Piece[]): Buffer {
  return Buffer.concat(
    pieces.map((piece) => {
      if (typeof piece === 'number') return Buffer.from([piece]);
      if (typeof piece === 'string') return Buffer.from(piece, 'latin1');
      return Buffer.isBuffer(piece) ? piece : bytes(...piece);
    }),
  );
}

/** A plain length in its shortest form. */
export function length(value: number | bigint): Buffer {
  const number = Number(value);
  if (number < 0x40) return Buffer.from([number]);
  if (number < 0x4000) return Buffer.from([0x40 | (number >> 8), number & 255]);
  const out = Buffer.alloc(number < 2 ** 32 ? 5 : 9);
  out[0] = out.length === 5 ? 0x80 : 0x81;
  if (out.length === 5) out.writeUInt32BE(number, 1);
  else out.writeBigUInt64BE(BigInt(value), 1);
  return out;
}

/** A plain (not integer, not compressed) string. */
export function string(value: Piece): Buffer {
  const content = bytes(value);
  return bytes(length(content.length), content);
}

export function uint16(value: number): Buffer {
  const out = Buffer.alloc(2);
  out.writeUInt16LE(value);
  return out;
}

export function uint32(value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt32LE(value);
  return out;
}

/** 8 bytes, little-endian: times. */
export function int64(value: number | bigint): Buffer {
  const out = Buffer.alloc(8);
  out.writeBigInt64LE(BigInt(value));
  return out;
}

export function double(value: number): Buffer {
  const out = Buffer.alloc(8);
  out.writeDoubleLE(value);
  return out;
}

/** Magic, records, end mark and a right checksum. */
export function snapshot(header: string, ...records: readonly Piece[]): Buffer {
  const body = bytes(header, ...records, 255);
  const crc = Buffer.alloc(8);
  crc64Into(body, 0, body.length, crc, 0);
  return bytes(body, crc);
}

/** The same snapshot with its checksum set right after a change. */
export function resealed(whole: Buffer): Buffer {
  const out = Buffer.from(whole);
  const crc = new Crc64();
  crc.update(out, 0, out.length - 8);
  crc.digestInto(out, out.length - 8);
  return out;
}
