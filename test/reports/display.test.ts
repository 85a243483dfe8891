import { describe, expect, test } from 'vitest';
import { displayBytes, displayReply, displayValue } from '../../reports/display.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

describe('displayBytes', () => {
  test.each([
    ['plain', '"plain"'],
    ['', '""'],
    ['a"b\\c', '"a\\"b\\\\c"'],
    ['\n\r\t\x07\b', '"\\n\\r\\t\\a\\b"'],
    ['\x00\x1f\x7f\xff', '"\\x00\\x1f\\x7f\\xff"'],
    ['~ }', '"~ }"'],
  ])('%j is printed as redis-cli does', (input, expected) => {
    expect(displayBytes(bytes(input))).toBe(expected);
  });

  test('says how much it left out', () => {
    expect(displayBytes(bytes('abcdef'), 5)).toBe('"abcde"… (1 byte more)');
    expect(displayBytes(bytes('x'.repeat(2005)), 5)).toBe('"xxxxx"… (2,000 bytes more)');
    expect(displayBytes(bytes('abcde'), 5)).toBe('"abcde"');
  });
});

describe('displayReply', () => {
  test('numbers and nests arrays like redis-cli', () => {
    const reply = [[bytes('1-0'), [bytes('f'), bytes('v')]], 5, null, 'OK', { message: 'ERR no' }, []];
    expect(displayReply(reply)).toBe(
      [
        '1) 1) "1-0"',
        '   2) 1) "f"',
        '      2) "v"',
        '2) (integer) 5',
        '3) (nil)',
        '4) OK',
        '5) (error) ERR no',
        '6) (empty array)',
      ].join('\n'),
    );
  });

  test('aligns the numbers and counts what is left out', () => {
    const reply = Array.from({ length: 11 }, (_, index) => bytes(String(index)));
    const lines = displayReply(reply, { bytesMax: 10, elementsMax: 2 }).split('\n');
    expect(lines).toEqual([' 1) "0"', ' 2) "1"', '… (9 elements more)']);
  });
});

describe('displayValue', () => {
  test('shows each type as its read command does', () => {
    expect(displayValue({ type: 'string', value: bytes('v') })).toBe('"v"');
    expect(displayValue({ type: 'hash', fields: [{ field: bytes('f'), value: bytes('v') }] })).toBe(
      '1) "f"\n2) "v"',
    );
    expect(displayValue({ type: 'zset', members: [{ member: bytes('m'), score: -0 }] })).toBe(
      '1) "m"\n2) "-0"',
    );
    expect(displayValue({ type: 'zset', members: [{ member: bytes('m'), score: -Infinity }] })).toContain(
      '"-inf"',
    );
    expect(displayValue({ type: 'stream', entries: [], lastId: '5-1' })).toBe('(empty stream, last id 5-1)');
    expect(displayValue({ type: 'module', module: 'ReJSON-RL', raw: bytes('xyz') })).toBe(
      '(module ReJSON-RL, 3 bytes)',
    );
  });
});
