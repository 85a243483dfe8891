/**
 * Zipmaps: small hashes before 2.6.
 *
 *   pairs, 1 byte (254 and 255 = unknown) │ length, field, length, free, value, `free` unused bytes │ … │ 0xff
 *   length = 1 byte below 254, or 254 and 4 bytes LE
 *
 * Source: src/zipmap.c of Redis.
 */
import { ValueCursor } from './value-cursor.ts';

const END = 0xff;
const LONG = 0xfe;

/** Fields and values in turn. */
export function readZipmap(bytes: Buffer): Buffer[] {
  const cursor = new ValueCursor(bytes, 'a zipmap');
  const count = cursor.byte();
  const elements: Buffer[] = [];
  while (cursor.at < cursor.end && bytes[cursor.at] !== END) {
    elements.push(cursor.take(readSize(cursor)));
    const size = readSize(cursor);
    const free = cursor.byte();
    elements.push(cursor.take(size));
    cursor.take(free);
  }
  if (cursor.byte() !== END) cursor.fail('the end mark is missing');
  cursor.close();
  if (count < LONG && count * 2 !== elements.length)
    cursor.fail(`it says ${count} pairs and has ${elements.length / 2}`);
  return elements;
}

function readSize(cursor: ValueCursor): number {
  const first = cursor.byte();
  if (first === END) cursor.fail('a pair is cut');
  return first === LONG ? cursor.uint32() : first;
}
