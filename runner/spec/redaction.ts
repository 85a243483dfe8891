/** Keeps secrets out of what is printed about a spec. Errs on the side of hiding. */

/** Keys whose values are not shown: password, passwd, pasword (a typing mistake), requirepass, masterauth, token … */
const SECRET_KEY = /pass|pwd|pasw|secret|token|auth/i;
/** `key: value` within a line; a quoted value, or up to the next `,`, `}` or the end. */
const PAIR = /([A-Za-z_-]+)(["']?\s*:\s+)("(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?|[^\s,}#][^,}]*)/g;
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
  for (const match of [...line.matchAll(PAIR)].toReversed()) {
    const [, key = '', colon = '', value = ''] = match;
    if (!isSecretKey(key) || REFERENCE.test(value.trim())) continue;
    hide(match.index + key.length + colon.length, value.trimEnd().length);
  }
  for (const match of [...result.text.matchAll(URL_PASSWORD)].toReversed()) {
    hide(match.index + (match[1] ?? '').length, (match[2] ?? '').length);
  }
  return result;
}
