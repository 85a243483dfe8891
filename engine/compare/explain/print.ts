/** Keys and values as redis-cli prints them, bounded. */
import type { Value } from '../../rdb/value.ts';

const NAMED: Readonly<Record<number, string>> = {
  0x07: '\\a',
  0x08: '\\b',
  0x09: '\\t',
  0x0a: '\\n',
  0x0d: '\\r',
  0x22: '\\"',
  0x5c: '\\\\',
};

/** `"user:1\x00"`; beyond `max` bytes the rest is counted: `"aaaa…" (300 bytes)`. */
export function printBytes(bytes: Uint8Array, max = 128): string {
  const shown = bytes.length > max ? bytes.subarray(0, max) : bytes;
  let text = '';
  for (const byte of shown) {
    text += NAMED[byte] ?? (byte >= 0x20 && byte <= 0x7e ? String.fromCharCode(byte) : `\\x${hex(byte)}`);
  }
  return bytes.length > max ? `"${text}…" (${bytes.length} bytes)` : `"${text}"`;
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

/** `1.5`, `inf`, `-inf`, `-0`: shortest text that reads back as the same double. */
export function printScore(score: number): string {
  if (Number.isFinite(score)) return Object.is(score, -0) ? '-0' : String(score);
  return Number.isNaN(score) ? 'nan' : score > 0 ? 'inf' : '-inf';
}

const LINES_MAX = 10;

/** A whole value, its first elements one per line. */
export function printValue(value: Value): string {
  switch (value.type) {
    case 'string':
      return printBytes(value.value, 256);
    case 'list':
      return printLines(
        value.elements.length,
        value.elements.slice(0, LINES_MAX).map((element) => printBytes(element)),
      );
    case 'set':
      return printLines(
        value.members.length,
        value.members.slice(0, LINES_MAX).map((member) => printBytes(member)),
      );
    case 'zset':
      return printLines(
        value.members.length,
        value.members
          .slice(0, LINES_MAX)
          .map(({ member, score }) => `${printBytes(member)} ${printScore(score)}`),
      );
    case 'hash':
      return printLines(
        value.fields.length,
        value.fields
          .slice(0, LINES_MAX)
          .map(({ field, value: content }) => `${printBytes(field)} ${printBytes(content)}`),
      );
    case 'stream':
      return printLines(
        value.entries.length,
        value.entries
          .slice(0, LINES_MAX)
          .map(({ id, fields }) => `${id} ${fields.map((part) => printBytes(part, 64)).join(' ')}`),
      );
    case 'module':
    default:
      return `(${value.module}, ${value.raw.length} bytes)`;
  }
}

/** `1) first`, `2) second`, …, and how many more there are. */
export function printLines(total: number, lines: readonly string[]): string {
  if (total === 0) return '(empty)';
  const numbered = lines.slice(0, LINES_MAX).map((line, index) => `${index + 1}) ${line}`);
  if (total > numbered.length) numbered.push(`… ${total - numbered.length} more`);
  return numbered.join('\n');
}

/** Elements of a collection, entries of a stream, bytes of anything else. */
export function valueLength(value: Value): number {
  switch (value.type) {
    case 'string':
      return value.value.length;
    case 'list':
      return value.elements.length;
    case 'set':
    case 'zset':
      return value.members.length;
    case 'hash':
      return value.fields.length;
    case 'stream':
      return value.entries.length;
    case 'module':
    default:
      return value.raw.length;
  }
}
