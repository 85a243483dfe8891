import { describe, expect, it } from 'vitest';
import { crc32 } from 'node:zlib';
import { codisSlot, codisSlotAt, CODIS_SLOTS } from '../../../engine/keys/codis-slot.ts';

describe('the slot of a key in Codis', () => {
  it('is the CRC32 of the whole key modulo 1024', () => {
    // The check value of CRC-32/ISO-HDLC.
    expect(crc32('123456789')).toBe(0xcbf43926);
    expect(codisSlot('123456789')).toBe(0xcbf43926 % CODIS_SLOTS);
  });

  it('is that of the first hash tag, up to the first closing brace behind it', () => {
    expect(codisSlot('user:{42}:name')).toBe(codisSlot('42'));
    expect(codisSlot('a}b{42}c{43}')).toBe(codisSlot('42'));
    expect(codisSlot('{{42}}')).toBe(codisSlot('{42'));
  });

  it('is the same for a key inside a buffer', () => {
    const keys = ['123456789', '', '{', '}{', '{}a', 'a}b{42}c{43}', '{42', 'user:{42}:name', 'größe'];
    for (const key of keys) {
      const bytes = Buffer.from(`{x}${key}}{y}`);
      expect(codisSlotAt(bytes, 3, 3 + Buffer.byteLength(key))).toBe(codisSlot(key));
    }
  });

  it('takes an empty tag for a tag, and an open one for none', () => {
    expect(codisSlot('{}a')).toBe(codisSlot(''));
    expect(codisSlot('{}b')).toBe(codisSlot('{}a'));
    expect(codisSlot('{42')).toBe(crc32('{42') % CODIS_SLOTS);
    expect(codisSlot(Buffer.from([0xff, 0x7b, 0x00, 0x7d]))).toBe(crc32(Buffer.from([0])) % CODIS_SLOTS);
  });
});
