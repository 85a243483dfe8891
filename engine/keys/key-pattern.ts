/**
 * Patterns of key names as in Redis's KEYS and SCAN MATCH: `*`, `?`, `[abc]`, `[a-z]`, `[^a]`, and `\` before a character
 * that is meant itself. Bytes, not characters: a key need not be text. Source of the fact: Redis, util.c (stringmatchlen).
 */

/** Any number of bytes, or exactly one of those that are true. */
type Piece = 'any' | readonly boolean[];

const BYTES = 256;
const ONE: readonly boolean[] = Array.from({ length: BYTES }, () => true);

export class KeyPattern {
  readonly text: string;
  readonly #pieces: readonly Piece[];

  constructor(text: string) {
    this.text = text;
    this.#pieces = parsePieces(Buffer.from(text));
  }

  matches(key: Uint8Array): boolean {
    const pieces = this.#pieces;
    let [at, piece, retryAt, retryPiece] = [0, 0, 0, -1];
    while (at < key.length) {
      const current = pieces[piece];
      if (current === 'any') {
        [retryPiece, retryAt] = [piece++, at];
      } else if (current?.[key[at] ?? 0] === true) {
        at++;
        piece++;
      } else if (retryPiece !== -1) {
        at = ++retryAt;
        piece = retryPiece + 1;
      } else return false;
    }
    while (pieces[piece] === 'any') piece++;
    return piece === pieces.length;
  }

  /** A key that both match, or undefined when there is none. */
  commonKey(other: KeyPattern): string | undefined {
    const bytes = shortestCommon(this.#pieces, other.#pieces);
    return bytes === undefined ? undefined : Buffer.from(bytes).toString('latin1');
  }
}

function parsePieces(pattern: Buffer): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const character = String.fromCharCode(pattern[at] ?? 0);
    if (character === '*') {
      if (pieces.at(-1) !== 'any') pieces.push('any');
    } else if (character === '?') pieces.push(ONE);
    else if (character === '[') {
      const set = parseSet(pattern, at + 1);
      pieces.push(set.bytes);
      at = set.end;
    } else {
      if (character === '\\' && at + 1 < pattern.length) at++;
      pieces.push(only(pattern[at] ?? 0));
    }
  }
  return pieces;
}

/** `end`: position of the `]`, or of the last byte when it is missing, which Redis takes as closed. */
function parseSet(pattern: Buffer, start: number): { bytes: boolean[]; end: number } {
  const isNegated = pattern[start] === 0x5e;
  const bytes = Array.from({ length: BYTES }, () => isNegated);
  let at = isNegated ? start + 1 : start;
  for (; at < pattern.length && pattern[at] !== 0x5d; at++) {
    if (pattern[at] === 0x5c && at + 1 < pattern.length) at++;
    const first = pattern[at] ?? 0;
    let last = first;
    if (pattern[at + 1] === 0x2d && at + 2 < pattern.length) {
      last = pattern[at + 2] ?? 0;
      at += 2;
    }
    for (let byte = Math.min(first, last); byte <= Math.max(first, last); byte++) bytes[byte] = !isNegated;
  }
  return { bytes, end: Math.min(at, pattern.length - 1) };
}

function only(byte: number): boolean[] {
  return Array.from({ length: BYTES }, (_, index) => index === byte);
}

/** Breadth first over pairs of positions, so that the key is a short one. */
function shortestCommon(left: readonly Piece[], right: readonly Piece[]): number[] | undefined {
  const seen = new Set<number>();
  const waiting: { i: number; j: number; key: number[] }[] = [{ i: 0, j: 0, key: [] }];
  for (let state = waiting.shift(); state !== undefined; state = waiting.shift()) {
    const { i, j, key } = state;
    if (i === left.length && j === right.length) return key;
    const place = i * (right.length + 1) + j;
    if (seen.has(place)) continue;
    seen.add(place);
    const [one, two] = [left[i], right[j]];
    if (one === 'any') waiting.push({ i: i + 1, j, key });
    if (two === 'any') waiting.push({ i, j: j + 1, key });
    if (one === undefined || two === undefined) continue;
    const byte = commonByte(one === 'any' ? ONE : one, two === 'any' ? ONE : two);
    if (byte === undefined) continue;
    waiting.push({ i: one === 'any' ? i : i + 1, j: two === 'any' ? j : j + 1, key: [...key, byte] });
  }
  return undefined;
}

/** A letter or digit when there is a choice: the key is shown to people. */
function commonByte(left: readonly boolean[], right: readonly boolean[]): number | undefined {
  const both = left.flatMap((isIn, byte) => (isIn && right[byte] === true ? [byte] : []));
  return both.find((byte) => byte >= 0x61 && byte <= 0x7a) ?? both.find((byte) => byte > 0x20) ?? both[0];
}
