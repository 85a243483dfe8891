/**
 * Bytes, replies and values as redis-cli prints them on a terminal: quoted, escaped, numbered. Bounded, because one
 * key of a gigabyte must not become a report of a gigabyte.
 */

/** Redis's replies in plain values: bulk → bytes, status → string, error → `{ message }`. */
export type DisplayReply =
  | Uint8Array
  | string
  | number
  | bigint
  | null
  | { readonly message: string }
  | readonly DisplayReply[];

export interface DisplayBounds {
  /** Bytes shown of one string. */
  bytesMax: number;
  /** Elements shown of one array. */
  elementsMax: number;
}

export const DISPLAY_BOUNDS: DisplayBounds = { bytesMax: 120, elementsMax: 8 };

const ESCAPES = new Map<number, string>([
  [0x5c, '\\\\'],
  [0x22, '\\"'],
  [0x0a, '\\n'],
  [0x0d, '\\r'],
  [0x09, '\\t'],
  [0x07, '\\a'],
  [0x08, '\\b'],
]);

/**
 * `"user:\xff\n"`: what `sdscatrepr` (sds.c) makes of the bytes. Longer than `bytesMax`, the rest is counted:
 * `"user:"… (40 bytes more)`. The quoted part can be typed back into redis-cli.
 */
export function displayBytes(bytes: Uint8Array, bytesMax = DISPLAY_BOUNDS.bytesMax): string {
  let text = '"';
  for (const byte of bytes.subarray(0, bytesMax)) text += escapeByte(byte);
  text += '"';
  const hidden = bytes.length - bytesMax;
  return hidden > 0 ? `${text}… (${plural(hidden, 'byte')} more)` : text;
}

function escapeByte(byte: number): string {
  const escape = ESCAPES.get(byte);
  if (escape !== undefined) return escape;
  if (byte >= 0x20 && byte <= 0x7e) return String.fromCharCode(byte);
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}

/** A reply as redis-cli formats it for a terminal (`cliFormatReplyTTY`), several lines for an array. */
export function displayReply(reply: DisplayReply, bounds: DisplayBounds = DISPLAY_BOUNDS): string {
  return formatReply(reply, bounds, '');
}

function formatReply(reply: DisplayReply, bounds: DisplayBounds, indent: string): string {
  if (reply === null) return '(nil)';
  if (typeof reply === 'number' || typeof reply === 'bigint') return `(integer) ${reply}`;
  if (typeof reply === 'string') return reply;
  if (reply instanceof Uint8Array) return displayBytes(reply, bounds.bytesMax);
  if ('message' in reply) return `(error) ${reply.message}`;
  return formatArray(reply, bounds, indent);
}

function formatArray(items: readonly DisplayReply[], bounds: DisplayBounds, indent: string): string {
  if (items.length === 0) return '(empty array)';
  const width = String(items.length).length;
  const inner = indent + ' '.repeat(width + 2);
  const lines = items.slice(0, bounds.elementsMax).map((item, index) => {
    const lead = index === 0 ? '' : indent;
    return `${lead}${String(index + 1).padStart(width)}) ${formatReply(item, bounds, inner)}`;
  });
  const hidden = items.length - bounds.elementsMax;
  if (hidden > 0) lines.push(`${indent}… (${plural(hidden, 'element')} more)`);
  return lines.join('\n');
}

/** A decoded value (the shape of engine/rdb/value.ts), as far as it is shown. */
export type DisplayValue =
  | { type: 'string'; value: Uint8Array }
  | { type: 'list'; elements: readonly Uint8Array[] }
  | { type: 'set'; members: readonly Uint8Array[] }
  | { type: 'zset'; members: readonly { member: Uint8Array; score: number }[] }
  | { type: 'hash'; fields: readonly { field: Uint8Array; value: Uint8Array }[] }
  | { type: 'stream'; entries: readonly { id: string; fields: readonly Uint8Array[] }[]; lastId: string }
  | { type: 'module'; module: string; raw: Uint8Array };

/** A value as the read command of its type would show it: GET, LRANGE, SMEMBERS, ZRANGE WITHSCORES, HGETALL, XRANGE. */
export function displayValue(value: DisplayValue, bounds: DisplayBounds = DISPLAY_BOUNDS): string {
  switch (value.type) {
    case 'string':
      return displayBytes(value.value, bounds.bytesMax);
    case 'list':
      return displayReply(value.elements, bounds);
    case 'set':
      return displayReply(value.members, bounds);
    case 'zset':
      return displayReply(
        pairs(value.members, (item) => [item.member, bytesOf(displayScore(item.score))]),
        bounds,
      );
    case 'hash':
      return displayReply(
        pairs(value.fields, (item) => [item.field, item.value]),
        bounds,
      );
    case 'stream':
      if (value.entries.length === 0) return `(empty stream, last id ${value.lastId})`;
      return displayReply(
        value.entries.map((entry) => [bytesOf(entry.id), entry.fields]),
        bounds,
      );
    case 'module':
      return `(module ${value.module}, ${plural(value.raw.length, 'byte')})`;
    default:
      return value satisfies never;
  }
}

/** A sorted-set score as Redis prints it: `inf`, `-inf`, `-0`, shortest digits otherwise. */
export function displayScore(score: number): string {
  if (score === Infinity) return 'inf';
  if (score === -Infinity) return '-inf';
  if (Object.is(score, -0)) return '-0';
  return String(score);
}

function pairs<T>(items: readonly T[], split: (item: T) => DisplayReply[]): DisplayReply[] {
  return items.flatMap(split);
}

function bytesOf(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/** `1 byte`, `2 bytes`, `1,000 bytes`. */
export function plural(count: number, noun: string, nouns = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : nouns}`;
}

/** `1234567` → `1,234,567`. The same on every machine, whatever its locale. */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}
