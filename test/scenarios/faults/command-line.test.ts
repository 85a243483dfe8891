import { describe, expect, test } from 'vitest';
import { splitCommandLine } from '../../../scenarios/faults/command-line.ts';
import { displayBytes } from '../../../reports/display.ts';

const split = (line: string): string[] => splitCommandLine(line).map((arg) => arg.toString('latin1'));

describe('splitCommandLine', () => {
  test.each([
    ['SET k v', ['SET', 'k', 'v']],
    ['  SET\tk   v\n', ['SET', 'k', 'v']],
    ['SET "a b" \'c d\'', ['SET', 'a b', 'c d']],
    ['SET "" \'\'', ['SET', '', '']],
    [String.raw`SET "\x00\xff\xZZ" "\n\r\t\b\a\"\\\q"`, ['SET', '\x00\xffxZZ', '\n\r\t\b\x07"\\q']],
    [String.raw`SET 'it\'s \n' back\slash`, ['SET', "it's \\n", 'back\\slash']],
    ['SET ke"y v"', ['SET', 'key v']],
  ])('%s', (line, expected) => {
    expect(split(line)).toEqual(expected);
  });

  test('text outside escapes is UTF-8', () => {
    expect(splitCommandLine('SET ключ "é"').map(String)).toEqual(['SET', 'ключ', 'é']);
  });

  test.each(['SET "k', "SET 'k", 'SET "k"v', "SET 'k'v", 'SET "k\\', '', '   '])('refuses %j', (line) => {
    expect(() => splitCommandLine(line)).toThrow(expect.objectContaining({ code: 'SPEC_INVALID' }));
  });

  test('reads back what displayBytes prints, for every byte', () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    expect(splitCommandLine(`SET ${displayBytes(bytes, 256)}`)[1]).toEqual(bytes);
  });
});
