/** The pool is the same for a seed, and what the writers assume of it holds. */
import { describe, expect, test } from 'vitest';
import { makeTextPool } from '../../../scenarios/data/text-pool.ts';

describe('makeTextPool', () => {
  test('equal for equal seeds, different for different ones', () => {
    expect(makeTextPool(5)).toEqual(makeTextPool(5));
    expect(makeTextPool(6).text).not.toEqual(makeTextPool(5).text);
  });

  test('text, slugs and fields are ASCII, the fields distinct', () => {
    const pool = makeTextPool(5);
    expect(pool.text.every((byte) => byte >= 32 && byte < 127)).toBe(true);
    for (const word of [...pool.slugs, ...pool.fields]) expect(word).toMatch(/^[a-z0-9_-]+$/);
    expect(new Set(pool.fields).size).toBe(pool.fields.length);
  });

  test('the binary part has every byte value', () => {
    expect(new Set(makeTextPool(5).binary).size).toBe(256);
  });
});
