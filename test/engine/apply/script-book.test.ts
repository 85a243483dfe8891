import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readScriptRun, ScriptBook, type ScriptRun } from '../../../engine/apply/script-book.ts';
import { CommandFramer } from '../../../engine/resp/command-framer.ts';
import { encodeCommand, type Argument } from '../../../engine/resp/encode.ts';

const BODY = "return redis.call('set', KEYS[1], ARGV[1])";
const SHA = createHash('sha1').update(BODY).digest('hex');

function read(book: ScriptBook, ...words: Argument[]): ScriptRun {
  const runs: ScriptRun[] = [];
  const name = String(words[0]).toLowerCase() === 'eval' ? 'eval' : 'evalsha';
  new CommandFramer((frame) => {
    runs.push(readScriptRun(frame, name, book));
  }).push(encodeCommand(words));
  const [run] = runs;
  if (run === undefined) throw new Error('no command');
  return run;
}

describe('a script of the stream', () => {
  it('is known by its SHA1 once its body came', () => {
    const book = new ScriptBook();
    expect(read(book, 'EVALSHA', SHA, 1, 'k', 'v')).toMatchObject({ sha: SHA, body: undefined });
    expect(read(book, 'EVAL', BODY, 1, 'k', 'v')).toMatchObject({ sha: SHA, body: Buffer.from(BODY) });
    expect(read(book, 'evalsha', SHA.toUpperCase(), 0)).toMatchObject({ sha: SHA, body: Buffer.from(BODY) });
  });

  const KEYS: [words: Argument[], keys: string[]][] = [
    [
      ['EVAL', BODY, 2, 'a', 'b', 'x'],
      ['a', 'b'],
    ],
    [['EVAL', BODY, 0, 'x'], []],
    [['EVAL', BODY, 9, 'a'], ['a']],
    [['EVAL', BODY, -1, 'a'], []],
    [['EVAL', BODY, 'many', 'a'], []],
    [['EVAL', BODY], []],
  ];
  for (const [words, keys] of KEYS) {
    it(`declares ${keys.length} keys: ${words.slice(2).join(' ')}`, () => {
      expect(read(new ScriptBook(), ...words).keys.map(String)).toEqual(keys);
    });
  }

  it('does not change with the buffer it came in', () => {
    const book = new ScriptBook();
    const buffer = Buffer.from(BODY);
    book.remember(buffer);
    buffer.fill(0);
    expect(book.bodyOf(SHA)?.toString()).toBe(BODY);
  });

  it('is forgotten when too many came, the least recently used first', () => {
    const book = new ScriptBook(100);
    const first = book.remember(Buffer.alloc(40, 'a'));
    const second = book.remember(Buffer.alloc(40, 'b'));
    book.remember(Buffer.alloc(40, 'a'));
    const third = book.remember(Buffer.alloc(40, 'c'));
    expect([first, second, third].map((sha) => book.bodyOf(sha)?.length)).toEqual([40, undefined, 40]);
  });
});
