import { describe, expect, it } from 'vitest';
import { hashKey, KeyHashSet } from '../../../engine/apply/key-hash-set.ts';

function hashOf(database: number, key: string): [number, number] {
  const hash = new Int32Array(2);
  hashKey(hash, database, Buffer.from(key, 'latin1'));
  return [hash[0] ?? 0, hash[1] ?? 0];
}

describe('KeyHashSet', () => {
  it('has what was added and nothing else, also when it is full', () => {
    const set = new KeyHashSet(20_000);
    for (let index = 0; index < 20_000; index++) set.add(...hashOf(index % 3, `key:${index}`));
    for (let index = 0; index < 20_000; index++) {
      expect(set.has(...hashOf(index % 3, `key:${index}`))).toBe(true);
      expect(set.has(...hashOf((index % 3) + 1, `key:${index}`))).toBe(false);
      expect(set.has(...hashOf(index % 3, `other:${index}`))).toBe(false);
    }
  });

  it('finds its way around the end of the table', () => {
    const set = new KeyHashSet(8);
    for (let high = 1; high <= 8; high++) set.add(high, -1);
    for (let high = 1; high <= 8; high++) expect(set.has(high, -1)).toBe(true);
    expect(set.has(9, -1)).toBe(false);
  });

  it('has nothing when nothing was added', () => {
    expect(new KeyHashSet(0).has(...hashOf(0, ''))).toBe(false);
  });
});

describe('hashKey', () => {
  it('tells databases and keys apart, and is never the mark of an empty slot', () => {
    const seen = new Set<string>();
    for (let database = 0; database < 16; database++) {
      for (const key of [
        '',
        '\0',
        '\0\0',
        'a',
        'b',
        'ab',
        'x'.repeat(15),
        'x'.repeat(16),
        'x'.repeat(17),
        'x'.repeat(1000),
      ]) {
        const hash = hashOf(database, key);
        expect(hash).not.toEqual([0, 0]);
        seen.add(hash.join());
      }
    }
    expect(seen.size).toBe(16 * 10);
  });
});
