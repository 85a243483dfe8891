import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  INTEGER_TEXT_MAX,
  parseScore,
  writeInteger,
  writeInteger64,
} from '../../../../engine/compare/digest/numbers.ts';

const out = new Uint8Array(INTEGER_TEXT_MAX);
const text = (from: number): string => Buffer.from(out.subarray(from)).toString('latin1');
const parse = (score: string): number => parseScore(Buffer.from(`xx${score}yy`), 2, 2 + score.length);

describe('integers as text', () => {
  test('every safe integer', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        expect(text(writeInteger(out, value))).toBe(String(value));
      }),
    );
  });

  test('every 64-bit integer', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const low = Number(BigInt.asIntN(32, value));
        const high = Number(BigInt.asIntN(32, value >> 32n));
        expect(text(writeInteger64(out, low, high))).toBe(String(value));
      }),
    );
  });

  test('the ends of the ranges', () => {
    for (const value of [0, 9, 10, -1, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), Number.MAX_SAFE_INTEGER]) {
      expect(text(writeInteger(out, value))).toBe(String(value));
    }
    expect(text(writeInteger64(out, 0, -0x80000000))).toBe('-9223372036854775808');
  });
});

describe('scores', () => {
  test('every double in 17 digits, as servers before 7.2 write it, and in its shortest form', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (score) => {
        const wanted = score === 0 ? 0 : score;
        expect(parse(score.toPrecision(17)) + 0).toBe(wanted);
        expect(parse(String(score)) + 0).toBe(wanted);
      }),
    );
  });

  test('short decimals, which take the fast way, as the general parser reads them', () => {
    fc.assert(
      fc.property(fc.integer({ min: -999_999_999, max: 999_999_999 }), fc.nat(15), (digits, decimals) => {
        const score = (digits / 10 ** decimals).toFixed(Math.min(decimals, 14));
        expect(parse(score)).toBe(Number(score));
      }),
    );
  });

  test.each([
    ['inf', Infinity],
    ['-inf', -Infinity],
    ['nan', NaN],
    ['-0', -0],
    ['', NaN],
    ['1e22', 1e22],
    ['1.7976931348623157e+308', Number.MAX_VALUE],
    ['5e-324', 5e-324],
    ['.5', 0.5],
    ['-', NaN],
    ['1x', NaN],
  ])('%s', (score, value) => {
    expect(parse(score)).toBe(value);
  });
});
