/**
 * Splits a line into arguments the way redis-cli does (`sdssplitargs` in sds.c): blanks separate; `"…"` knows \xHH, \n,
 * \r, \t, \b, \a and takes the character after any other backslash; `'…'` knows only \'. A closing quote must be followed
 * by a blank or the end.
 */
import { SyncError } from '../../engine/errors.ts';

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['b', '\b'],
  ['a', '\x07'],
]);

/** Text outside escapes is taken as UTF-8. @throws SyncError SPEC_INVALID on unbalanced quotes or an empty line */
export function splitCommandLine(line: string): Buffer[] {
  const reader = new LineReader(line);
  const args: Buffer[] = [];
  for (let arg = reader.next(); arg !== null; arg = reader.next()) args.push(arg);
  if (args.length === 0) throw new SyncError('SPEC_INVALID', 'The command is empty.');
  return args;
}

class LineReader {
  /** One character per byte, so that \xff is one byte and not a code point. */
  readonly #text: string;
  readonly #line: string;
  #at = 0;

  constructor(line: string) {
    this.#line = line;
    this.#text = Buffer.from(line, 'utf8').toString('latin1');
  }

  next(): Buffer | null {
    while (isBlank(this.#text[this.#at])) this.#at++;
    if (this.#at >= this.#text.length) return null;
    let arg = '';
    while (this.#at < this.#text.length && !isBlank(this.#text[this.#at])) arg += this.#piece();
    return Buffer.from(arg, 'latin1');
  }

  #piece(): string {
    const character = this.#text[this.#at++] ?? '';
    if (character === '"') return this.#quoted('"', () => this.#doubleEscape());
    if (character === "'") return this.#quoted("'", () => this.#singleEscape());
    return character;
  }

  #quoted(quote: string, escape: () => string): string {
    let text = '';
    for (;;) {
      const character = this.#text[this.#at++];
      if (character === undefined) throw this.#unbalanced();
      if (character === quote) break;
      text += character === '\\' ? escape() : character;
    }
    const follower = this.#text[this.#at];
    if (follower !== undefined && !isBlank(follower)) throw this.#unbalanced();
    return text;
  }

  #doubleEscape(): string {
    const hex = /^x([0-9a-fA-F]{2})/.exec(this.#text.slice(this.#at, this.#at + 3))?.[1];
    if (hex !== undefined) {
      this.#at += 3;
      return String.fromCharCode(Number.parseInt(hex, 16));
    }
    const character = this.#text[this.#at++];
    if (character === undefined) throw this.#unbalanced();
    return ESCAPES.get(character) ?? character;
  }

  #singleEscape(): string {
    if (this.#text[this.#at] !== "'") return '\\';
    this.#at++;
    return "'";
  }

  #unbalanced(): SyncError {
    return new SyncError('SPEC_INVALID', `Unbalanced quotes in the command ${this.#line}`, {
      hint: 'Quote as in redis-cli; a closing quote is followed by a blank or the end of the line.',
    });
  }
}

function isBlank(character: string | undefined): boolean {
  return character !== undefined && /[\s\0]/.test(character);
}
