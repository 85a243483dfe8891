/** Keeps secrets out of what is printed about a spec. Errs on the side of hiding. */

/** Keys whose values are not shown: password, passwd, pasword (a typing mistake), requirepass, masterauth, token … */
const SECRET_WORD = 'pass|pwd|pasw|secret|token|auth';
const SECRET_KEY = new RegExp(SECRET_WORD, 'i');
/** `key: value` within a line; a reference, a quoted value, or everything up to the next `,` or `}`. */
const SECRET_PAIR = new RegExp(
  `([\\w-]*(?:${SECRET_WORD})[\\w-]*)(["']\\s*:\\s*|\\s*:\\s+)(\\$\\{[^}]*\\}|"(?:[^"\\\\]|\\\\.)*"?|'(?:[^']|'')*'?|[^\\s,}#][^,}]*)`,
  'gi',
);
/** A secret key whose value begins on a later line, as it is or as a block. */
const SECRET_ABOVE = new RegExp(
  `[\\w-]*(?:${SECRET_WORD})[\\w-]*["']?\\s*:\\s*(?:[|>][-+\\d]*)?\\s*(?:#.*)?$`,
  'i',
);
const REFERENCE = /^["']?\$\{[A-Za-z_][A-Za-z0-9_]*(:\?[^}]*)?\}["']?$/;
const URL_PASSWORD = /(\w+:\/\/[^\s:@/"']*:)([^\s@"']+)@/g;
const MASK = '***';

export function isSecretKey(key: string): boolean {
  return SECRET_KEY.test(key) && key !== 'passwordFile';
}

/** `redis://user:secret@host` → `redis://user:***@host`. */
export function redactUrl(url: string): string {
  return url.replace(URL_PASSWORD, `$1${MASK}@`);
}

/**
 * A line of a spec without secrets, and where a position in it (an index from 0) is now. A position inside a hidden
 * value becomes its beginning.
 */
export function redactLine(line: string, position: number): { text: string; position: number } {
  let result = { text: line, position };
  const hide = (start: number, length: number): void => {
    const { text } = result;
    const shift = MASK.length - length;
    const at = result.position;
    const moved = at >= start + length ? at + shift : Math.min(at, Math.max(start, 0));
    result = {
      text: text.slice(0, start) + MASK + text.slice(start + length),
      position: at < start ? at : moved,
    };
  };
  for (const match of [...line.matchAll(SECRET_PAIR)].toReversed()) {
    const [, key = '', colon = '', value = ''] = match;
    if (!isSecretKey(key) || REFERENCE.test(value.trim())) continue;
    const start = match.index + key.length + colon.length;
    // Outside of { }, a comma does not end the value.
    const before = line.slice(0, match.index);
    const isFlow = before.lastIndexOf('{') > before.lastIndexOf('}');
    hide(start, (isFlow ? value : line.slice(start)).trimEnd().length);
  }
  for (const match of [...result.text.matchAll(URL_PASSWORD)].toReversed()) {
    hide(match.index + (match[1] ?? '').length, (match[2] ?? '').length);
  }
  return result;
}

/** Does a line (by index) belong to the value of a secret key above it? */
export function isBelowSecretKey(lines: readonly string[], index: number): boolean {
  const indent = indentOf(lines[index] ?? '');
  const above = lines.slice(0, index).findLast((line) => line.trim() !== '' && indentOf(line) < indent);
  return above !== undefined && SECRET_ABOVE.test(above) && !above.includes('passwordFile');
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}
