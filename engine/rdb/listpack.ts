/**
 * Listpacks: small lists, sets, hashes and sorted sets from 7.0 on, and the blocks of streams.
 *
 *   total bytes, 4 LE │ elements, 2 LE (65535 = unknown) │ element … │ 0xff
 *   element = encoding and content │ length of both, backwards (1…5 bytes)
 *
 *   0xxxxxxx               integer 0…127           1110xxxx y      string, 12-bit length
 *   10xxxxxx               string, 6-bit length    11110000 + 4    string, 32-bit length LE
 *   110xxxxx y             13-bit signed integer   11110001…4 + n  integer of 16, 24, 32, 64 bits LE
 *
 * Source: src/listpack.c of Redis.
 */
import { ValueCursor } from './value-cursor.ts';

const COUNT_UNKNOWN = 65535;
const END = 0xff;

/** All elements in order; integers as the decimal text that clients see. */
export function readListpack(bytes: Buffer): Buffer[] {
  const cursor = new ValueCursor(bytes, 'a listpack');
  const total = cursor.uint32();
  if (total !== bytes.length) cursor.fail(`it says ${total} bytes and has ${bytes.length}`);
  const count = cursor.uint16();
  const elements: Buffer[] = [];
  while (cursor.at < cursor.end && bytes[cursor.at] !== END) {
    const start = cursor.at;
    elements.push(readElement(cursor));
    cursor.take(backwardLengthBytes(cursor.at - start));
  }
  if (cursor.byte() !== END) cursor.fail('the end mark is missing');
  cursor.close();
  if (count !== COUNT_UNKNOWN && count !== elements.length) {
    cursor.fail(`it says ${count} elements and has ${elements.length}`);
  }
  return elements;
}

function readElement(cursor: ValueCursor): Buffer {
  const first = cursor.byte();
  if (first < 0x80) return integer(first);
  if (first < 0xc0) return cursor.take(first & 0x3f);
  if (first < 0xe0) return integer(((((first & 0x1f) << 8) | cursor.byte()) << 19) >> 19);
  if (first < 0xf0) return cursor.take(((first & 0x0f) << 8) | cursor.byte());
  switch (first) {
    case 0xf0:
      return cursor.take(cursor.uint32());
    case 0xf1:
      return integer(cursor.take(2).readInt16LE());
    case 0xf2:
      return integer(cursor.take(3).readIntLE(0, 3));
    case 0xf3:
      return integer(cursor.take(4).readInt32LE());
    case 0xf4:
      return integer(cursor.take(8).readBigInt64LE());
    default:
      return cursor.fail(`0x${first.toString(16)} does not start an element`);
  }
}

function integer(value: number | bigint): Buffer {
  return Buffer.from(String(value), 'latin1');
}

/** How many bytes the backward length of an element of `size` bytes has (lpEncodeBacklen). */
function backwardLengthBytes(size: number): number {
  if (size <= 127) return 1;
  if (size < 16383) return 2;
  if (size < 2097151) return 3;
  return size < 268435455 ? 4 : 5;
}
