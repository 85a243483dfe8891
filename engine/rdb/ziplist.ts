/**
 * Ziplists: small lists, hashes and sorted sets before 7.0.
 *
 *   total bytes, 4 LE │ offset of the last entry, 4 LE │ entries, 2 LE (65535 = unknown) │ entry … │ 0xff
 *   entry = length of the previous one (1 byte, or 0xfe and 4 bytes) │ encoding and content
 *
 *   00xxxxxx          string, 6-bit length         11000000 + 2   16-bit integer LE
 *   01xxxxxx y        string, 14-bit length BE     11010000 + 4   32-bit integer
 *   10000000 + 4      string, 32-bit length BE     11100000 + 8   64-bit integer
 *   1111xxxx          integer 0…12 (x − 1)         11110000 + 3   24-bit integer
 *                                                  11111110 + 1   8-bit integer
 *
 * Source: src/ziplist.c of Redis.
 */
import { ValueCursor } from './value-cursor.ts';

const COUNT_UNKNOWN = 65535;
const END = 0xff;
const LONG_PREVIOUS = 0xfe;

/** All entries in order; integers as the decimal text that clients see. */
export function readZiplist(bytes: Buffer): Buffer[] {
  const cursor = new ValueCursor(bytes, 'a ziplist');
  const total = cursor.uint32();
  if (total !== bytes.length) cursor.fail(`it says ${total} bytes and has ${bytes.length}`);
  cursor.uint32();
  const count = cursor.uint16();
  const entries: Buffer[] = [];
  while (cursor.at < cursor.end && bytes[cursor.at] !== END) {
    if (cursor.byte() === LONG_PREVIOUS) cursor.uint32();
    entries.push(readEntry(cursor));
  }
  if (cursor.byte() !== END) cursor.fail('the end mark is missing');
  cursor.close();
  if (count !== COUNT_UNKNOWN && count !== entries.length) {
    cursor.fail(`it says ${count} entries and has ${entries.length}`);
  }
  return entries;
}

function readEntry(cursor: ValueCursor): Buffer {
  const first = cursor.byte();
  if (first < 0x40) return cursor.take(first);
  if (first < 0x80) return cursor.take(((first & 0x3f) << 8) | cursor.byte());
  switch (first) {
    case 0x80:
      return cursor.take(cursor.take(4).readUInt32BE());
    case 0xc0:
      return integer(cursor.take(2).readInt16LE());
    case 0xd0:
      return integer(cursor.take(4).readInt32LE());
    case 0xe0:
      return integer(cursor.take(8).readBigInt64LE());
    case 0xf0:
      return integer(cursor.take(3).readIntLE(0, 3));
    case 0xfe:
      return integer(cursor.take(1).readInt8());
    default:
      if (first > 0xf0 && first < 0xfe) return integer((first & 0x0f) - 1);
      return cursor.fail(`0x${first.toString(16)} does not start an entry`);
  }
}

function integer(value: number | bigint): Buffer {
  return Buffer.from(String(value), 'latin1');
}
