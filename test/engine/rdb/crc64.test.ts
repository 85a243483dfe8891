/** CRC64 against the published check value, a bit-by-bit reference, and every cut. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Crc64, crc64Into, crc64Matches } from '../../../engine/rdb/crc64.ts';

/** The definition, one bit at a time, with no table and no halves. */
function reference(bytes: Uint8Array): bigint {
  let crc = 0n;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1n) === 1n ? (crc >> 1n) ^ 0x95ac9329ac4bc9b5n : crc >> 1n;
  }
  return crc;
}

function oneShot(bytes: Uint8Array, start = 0, end = bytes.length): bigint {
  const out = Buffer.alloc(8);
  crc64Into(bytes, start, end, out, 0);
  return out.readBigUInt64LE();
}

describe('crc64', () => {
  it('gives the published check value', () => {
    expect(oneShot(Buffer.from('123456789'))).toBe(0xe9c6d914c4b8d9can);
  });

  it('agrees with the bit-by-bit definition on any slice', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(20), fc.nat(20), (bytes, skip, cut) => {
        const start = Math.min(skip, bytes.length);
        const end = Math.max(start, bytes.length - cut);
        expect(oneShot(bytes, start, end)).toBe(reference(bytes.subarray(start, end)));
      }),
    );
  });

  it('gives the same for any cut into two pieces', () => {
    const bytes = Buffer.from(Array.from({ length: 64 }, (_, index) => (index * 37) & 255));
    for (let cut = 0; cut <= bytes.length; cut++) {
      const crc = new Crc64();
      crc.update(bytes, 0, cut);
      crc.update(bytes.subarray(cut));
      const out = Buffer.alloc(8);
      crc.digestInto(out, 0);
      expect(out.readBigUInt64LE()).toBe(reference(bytes));
    }
  });

  it('starts anew after reset', () => {
    const crc = new Crc64();
    crc.update(Buffer.from('noise'));
    crc.reset();
    crc.update(Buffer.from('123456789'));
    const out = Buffer.alloc(10);
    crc.digestInto(out, 2);
    expect(out.readBigUInt64LE(2)).toBe(0xe9c6d914c4b8d9can);
  });

  it('may write the checksum right behind the bytes it covers', () => {
    const bytes = Buffer.concat([Buffer.from('123456789'), Buffer.alloc(8)]);
    crc64Into(bytes, 0, 9, bytes, 9);
    expect(crc64Matches(bytes, 0, 9, bytes, 9)).toBe(true);
    bytes[3]! ^= 1;
    expect(crc64Matches(bytes, 0, 9, bytes, 9)).toBe(false);
  });
});
