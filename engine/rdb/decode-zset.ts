/** Sorted sets: scores as text, as doubles, or as elements of a ziplist or listpack. */
import type { Value } from './value.ts';
import type { ValueCursor } from './value-cursor.ts';

export type ZsetMembers = Extract<Value, { type: 'zset' }>['members'];

/** Lengths of a text score that stand for themselves (rdbLoadDoubleValue). */
const NAN = 253;
const POSITIVE_INFINITY = 254;
const NEGATIVE_INFINITY = 255;

/** count × (string, score): ZSET (`text`) and ZSET_2 (8-byte double). */
export function decodeZset(cursor: ValueCursor, scores: 'text' | 'double'): ZsetMembers {
  const members: ZsetMembers = [];
  for (let left = cursor.length(); left > 0; left--) {
    const member = cursor.string();
    members.push({ member, score: scores === 'double' ? cursor.double() : textScore(cursor) });
  }
  return members;
}

/** Member, score, member, score …: ZSET_ZIPLIST and ZSET_LISTPACK. */
export function pairScores(elements: readonly Buffer[], cursor: ValueCursor): ZsetMembers {
  if (elements.length % 2 !== 0) cursor.fail('a member has no score');
  const members: ZsetMembers = [];
  for (let index = 0; index < elements.length; index += 2) {
    members.push({
      member: elements[index]!,
      score: parseScore(elements[index + 1]!.toString('latin1'), cursor),
    });
  }
  return members;
}

function textScore(cursor: ValueCursor): number {
  const length = cursor.byte();
  switch (length) {
    case NAN:
      return NaN;
    case POSITIVE_INFINITY:
      return Infinity;
    case NEGATIVE_INFINITY:
      return -Infinity;
    default:
      return parseScore(cursor.take(length).toString('latin1'), cursor);
  }
}

function parseScore(text: string, cursor: ValueCursor): number {
  return parseScoreText(text) ?? cursor.fail(`${JSON.stringify(text)} is not a score`);
}

/** A double as C's `%.17g` or fpconv writes it; undefined when it is none. */
export function parseScoreText(text: string): number | undefined {
  switch (text) {
    case 'inf':
      return Infinity;
    case '-inf':
      return -Infinity;
    default: {
      const score = text === '' ? NaN : Number(text);
      return Number.isNaN(score) ? undefined : score;
    }
  }
}
