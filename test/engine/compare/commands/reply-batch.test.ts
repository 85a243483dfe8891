import { describe, expect, test } from 'vitest';
import { ITEM, ReplyBatch } from '../../../../engine/compare/commands/reply-batch.ts';

const REPLIES = Buffer.from(
  '*2\r\n$2\r\n17\r\n*3\r\n$1\r\na\r\n$0\r\n\r\n$4\r\n\r\n\r\n\r\n:-2\r\n$-1\r\n+OK\r\n-MOVED 5 h:1\r\n:1700000000000\r\n*-1\r\n*0\r\n',
);
const TOP_LEVEL = 8;

function read(batch: ReplyBatch): (string | number | null)[] {
  return Array.from({ length: batch.count }, (_, item) => {
    switch (batch.kind[item]) {
      case ITEM.NULL:
        return null;
      case ITEM.INTEGER:
        return batch.number[item] ?? NaN;
      case ITEM.ARRAY:
        return `*${batch.number[item]}`;
      default:
        return batch.text(item);
    }
  });
}

const WANTED = [
  '*2',
  '17',
  '*3',
  'a',
  '',
  '\r\n\r\n',
  -2,
  null,
  'OK',
  'MOVED 5 h:1',
  1_700_000_000_000,
  null,
  '*0',
];

describe('a batch of replies', () => {
  test('whole, with the next batch behind it', () => {
    const batch = new ReplyBatch();
    batch.expect(TOP_LEVEL);
    expect(batch.push(Buffer.concat([REPLIES, Buffer.from(':1\r\n')]), 0)).toBe(REPLIES.length);
    expect(read(batch)).toEqual(WANTED);
  });

  test('cut into two at every byte', () => {
    const batch = new ReplyBatch();
    for (let cut = 1; cut < REPLIES.length; cut++) {
      batch.expect(TOP_LEVEL);
      expect(batch.push(REPLIES.subarray(0, cut), 0)).toBe(-1);
      expect(batch.push(REPLIES, cut)).toBe(REPLIES.length - cut);
      expect(read(batch)).toEqual(WANTED);
    }
  });

  test('byte by byte, larger than the first buffer', () => {
    const batch = new ReplyBatch();
    const large = Buffer.alloc(600_000, 'x');
    const bytes = Buffer.concat([Buffer.from('$600000\r\n'), large, Buffer.from('\r\n')]);
    batch.expect(2);
    expect(batch.push(bytes, 0)).toBe(-1);
    for (const byte of REPLIES.subarray(0, 8)) batch.push(Buffer.of(byte), 0);
    expect(batch.copy(0).equals(large)).toBe(true);
  });

  test('refuses what is not RESP', () => {
    const batch = new ReplyBatch();
    batch.expect(1);
    expect(() => batch.push(Buffer.from('HTTP/1.1 400\r\n'), 0)).toThrowError(/begins with byte 72/);
  });
});
