import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { KeySet } from '../../../engine/compare/key-set.ts';

test('is a set of keys per database that knows who added them first', () => {
  const key = fc.uint8Array({ maxLength: 4 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(2), key, fc.nat(1)), { maxLength: 300 }), (added) => {
      const set = new KeySet(0);
      const model = new Map<string, number>();
      for (const [database, bytes, node] of added) {
        const name = `${database} ${bytes.toString('hex')}`;
        const first = model.get(name);
        const wanted = first === undefined ? 'added' : first === node ? 'again' : 'other-node';
        expect(set.add(database, bytes, 0, bytes.length, node)).toBe(wanted);
        if (first === undefined) model.set(name, node);
      }
      expect(set.size).toBe(model.size);
      for (const [database, bytes] of added) {
        expect(set.has(database, bytes, 0, bytes.length)).toBe(true);
        expect(set.has(database + 3, bytes, 0, bytes.length)).toBe(false);
      }
    }),
  );
});

test('grows, and stays below 24 bytes a key when it was told how many come', () => {
  const [told, untold] = [new KeySet(100_000), new KeySet(0)];
  for (let index = 0; index < 100_000; index++) {
    const bytes = Buffer.from(`key:${index}`);
    told.add(0, bytes, 0, bytes.length, 0);
    untold.add(0, bytes, 0, bytes.length, 0);
  }
  expect(told.bytes / 100_000).toBeLessThan(24);
  expect([told.size, untold.size]).toEqual([100_000, 100_000]);
  const bytes = Buffer.from('key:99999');
  expect(untold.has(0, bytes, 0, bytes.length)).toBe(true);
});
