import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { KeyList } from '../../../engine/compare/key-list.ts';

test('gives back what was put in, in order, in groups of one database', () => {
  const item = fc.tuple(
    fc.nat(2),
    fc.uint8Array({ maxLength: 400_000, size: 'large' }),
    fc.nat(255),
    fc.integer(),
  );
  fc.assert(
    fc.property(fc.array(item, { maxLength: 20 }), fc.integer({ min: 1, max: 5 }), (items, limit) => {
      const list = new KeyList(Infinity);
      for (const [database, bytes, tag, fingerprint] of items) {
        const padded = Buffer.concat([Buffer.from('>>'), bytes]);
        expect(list.add(database, padded, 2, padded.length, tag, fingerprint)).toBe(true);
      }
      const groups = [...list.groups(limit)];
      expect(
        groups.every(
          (group) => group.length <= limit && new Set(group.map((key) => key.database)).size === 1,
        ),
      ).toBe(true);
      const flat = groups
        .flat()
        .map(({ database, key, tag, fingerprint }) => [database, key.toString('hex'), tag, fingerprint]);
      expect(flat).toEqual(
        items.map(([database, bytes, tag, print]) => [
          database,
          Buffer.from(bytes).toString('hex'),
          tag,
          print,
        ]),
      );
    }),
    { numRuns: 30 },
  );
});

test('refuses what is beyond its limit', () => {
  const list = new KeyList(100);
  const key = Buffer.alloc(60);
  expect([list.add(0, key, 0, 60), list.add(0, key, 0, 60), list.add(0, key, 0, 2)]).toEqual([
    true,
    false,
    true,
  ]);
  expect(list.size).toBe(2);
});
