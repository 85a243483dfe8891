/**
 * Intsets: sets of integers only.
 *
 *   width 2, 4 or 8, 4 LE │ members, 4 LE │ members in ascending order, LE, `width` bytes each
 *
 * Source: src/intset.c of Redis.
 */
import { ValueCursor } from './value-cursor.ts';

/** All members as decimal text. */
export function readIntset(bytes: Buffer): Buffer[] {
  const cursor = new ValueCursor(bytes, 'an intset');
  const width = cursor.uint32();
  if (width !== 2 && width !== 4 && width !== 8) cursor.fail(`${width} is not a width`);
  const count = cursor.uint32();
  if (count * width !== cursor.end - cursor.at) cursor.fail(`${count} members do not fill it`);
  const members: Buffer[] = [];
  for (let left = count; left > 0; left--) {
    const member = cursor.take(width);
    const value = width === 8 ? member.readBigInt64LE() : member.readIntLE(0, width);
    members.push(Buffer.from(String(value), 'latin1'));
  }
  return members;
}
