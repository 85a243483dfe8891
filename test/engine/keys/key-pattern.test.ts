/** Patterns of keys: that they match what Redis matches, and whether two of them can match the same key. */
import { describe, expect, test } from 'vitest';
import { KeyPattern } from '../../../engine/keys/key-pattern.ts';

describe('matches', () => {
  test.each([
    ['user:*', 'user:1', true],
    ['user:*', 'user:', true],
    ['user:*', 'users:1', false],
    ['*', '', true],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['[a-c]*', 'b1', true],
    ['[c-a]*', 'b1', true],
    ['[^a]x', 'ax', false],
    ['[^a]x', 'bx', true],
    ['a\\*', 'a*', true],
    ['a\\*', 'ab', false],
    ['*a*b', 'xxaxxab', true],
    ['*a*b', 'xxaxxabc', false],
    ['[abc', 'b', true],
    ['x[\\]]', 'x]', true],
  ])('%s, %s: %s', (pattern, key, expected) =>
    expect(new KeyPattern(pattern).matches(Buffer.from(key))).toBe(expected),
  );

  test('bytes, not characters', () => {
    expect(new KeyPattern('a?').matches(Buffer.from([0x61, 0xff]))).toBe(true);
    expect(new KeyPattern('é*').matches(Buffer.from('été'))).toBe(true);
  });
});

describe('overlap', () => {
  test.each([
    ['user:*', 'order:*'],
    ['[a-m]*', '[n-z]*'],
    ['a?', 'a'],
    ['*:a', '*:b'],
    ['[^a]*', 'a*'],
  ])('%s and %s have no key in common', (one, two) => {
    expect(new KeyPattern(one).commonKey(new KeyPattern(two))).toBeUndefined();
    expect(new KeyPattern(two).commonKey(new KeyPattern(one))).toBeUndefined();
  });

  test.each([
    ['user:*', 'user:1*'],
    ['*:name', 'user:*'],
    ['*', 'x'],
    ['a*c', '*b*'],
    ['[a-m]*', '?o*'],
  ])('%s and %s have one, and both match it', (one, two) => {
    const [left, right] = [new KeyPattern(one), new KeyPattern(two)];
    const key = left.commonKey(right);
    expect(key).toBeDefined();
    expect(left.matches(Buffer.from(key ?? '', 'latin1'))).toBe(true);
    expect(right.matches(Buffer.from(key ?? '', 'latin1'))).toBe(true);
  });
});
