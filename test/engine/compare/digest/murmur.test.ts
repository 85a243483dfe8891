import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { absorb, begin } from '../../../../engine/compare/digest/murmur.ts';

function hash(bytes: Uint8Array, seed: number, start = 0, end = bytes.length): string {
  const lanes = new Int32Array(4);
  begin(lanes, seed);
  absorb(lanes, bytes, start, end);
  return [...lanes].map((lane) => (lane >>> 0).toString(16).padStart(8, '0')).join('');
}

describe('MurmurHash3_x86_128', () => {
  // From the reference implementation (smhasher), and its verification procedure below.
  test('of nothing', () => {
    expect(hash(Buffer.alloc(0), 0)).toBe('00000000000000000000000000000000');
    expect(hash(Buffer.alloc(0), 1)).toBe('88c4adec54d201b954d201b954d201b9');
  });

  test('passes the verification of the reference: a hash of hashes of every length from 0 to 255', () => {
    const all = Buffer.alloc(256 * 16);
    const bytes = Buffer.from(Uint8Array.from({ length: 256 }, (_, index) => index));
    const lanes = new Int32Array(4);
    for (let length = 0; length < 256; length++) {
      begin(lanes, 256 - length);
      absorb(lanes, bytes, 0, length);
      lanes.forEach((lane, index) => all.writeInt32LE(lane, length * 16 + index * 4));
    }
    begin(lanes, 0);
    absorb(lanes, all, 0, all.length);
    expect((lanes[0] ?? 0) >>> 0).toBe(0xb3ece62a);
  });

  test('does not depend on where the bytes stand', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(40), fc.integer(), (bytes, offset, seed) => {
        const moved = new Uint8Array(offset + bytes.length + 7).fill(0xaa);
        moved.set(bytes, offset);
        expect(hash(moved, seed, offset, offset + bytes.length)).toBe(hash(bytes, seed));
      }),
    );
  });

  test('chained parts keep their borders', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 40 }),
        fc.nat(40),
        fc.nat(40),
        (bytes, first, second) => {
          const cuts = [first, second].map((cut) => cut % (bytes.length + 1));
          fc.pre(cuts[0] !== cuts[1]);
          const chained = cuts.map((cut) => {
            const lanes = new Int32Array(4);
            absorb(lanes, bytes, 0, cut);
            absorb(lanes, bytes, cut, bytes.length);
            return lanes.join();
          });
          expect(chained[0]).not.toBe(chained[1]);
        },
      ),
    );
  });
});
