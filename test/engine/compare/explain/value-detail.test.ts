import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { digestValue } from '../../../../engine/compare/digest/value-digest.ts';
import { printBytes, printScore, printValue } from '../../../../engine/compare/explain/print.ts';
import { describeDifference } from '../../../../engine/compare/explain/value-detail.ts';
import type { Value } from '../../../../engine/rdb/value.ts';

const bytes = fc.uint8Array({ maxLength: 3 }).map((array) => Buffer.from(array));
const distinct = fc.uniqueArray(bytes, { selector: (item) => item.toString('hex'), maxLength: 5 });
const value = fc.oneof(
  bytes.map((content): Value => ({ type: 'string', value: content })),
  fc.array(bytes, { maxLength: 4 }).map((elements): Value => ({ type: 'list', elements })),
  distinct.map((members): Value => ({ type: 'set', members })),
  fc.tuple(distinct, fc.array(fc.constantFrom(0, -0, 1, Infinity, 0.1))).map(([members, scores]): Value => ({
    type: 'zset',
    members: members.map((member, index) => ({ member, score: scores[index] ?? 1 })),
  })),
  fc.tuple(distinct, fc.array(bytes)).map(([fields, values]): Value => ({
    type: 'hash',
    fields: fields.map((field, index) => ({
      field,
      value: values[index] ?? Buffer.alloc(0),
      expireAtMs: -1,
    })),
  })),
);

function digest(of: Value): string {
  const lanes = new Int32Array(4);
  digestValue(of, lanes);
  return lanes.join();
}

test('a difference is named exactly when the digests differ', () => {
  fc.assert(
    fc.property(value, value, (a, b) => {
      fc.pre(a.type === b.type);
      expect(describeDifference(a, b) === undefined).toBe(digest(a) === digest(b));
    }),
    { numRuns: 2000 },
  );
});

describe('printing', () => {
  test('escapes as redis-cli does', () => {
    expect(printBytes(Buffer.from('a"b\\c\r\n\t\x07\x00é'))).toBe('"a\\"b\\\\c\\r\\n\\t\\a\\x00\\xc3\\xa9"');
    expect(printBytes(Buffer.alloc(300, 'a'), 10)).toBe('"aaaaaaaaaa…" (300 bytes)');
  });

  test('scores', () => {
    expect([1, 1.5, -0, Infinity, -Infinity, NaN, 1e300].map(printScore)).toEqual([
      '1',
      '1.5',
      '-0',
      'inf',
      '-inf',
      'nan',
      '1e+300',
    ]);
  });

  test('a long value by its first elements', () => {
    const elements = Array.from({ length: 12 }, (_, index) => Buffer.from(String(index)));
    expect(printValue({ type: 'list', elements }).split('\n')).toEqual([
      ...elements.slice(0, 10).map((element, index) => `${index + 1}) "${element.toString()}"`),
      '… 2 more',
    ]);
    expect(printValue({ type: 'set', members: [] })).toBe('(empty)');
  });
});
