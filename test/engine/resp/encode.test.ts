import { expect, it } from 'vitest';
import { encodeCommand, encodeCommands } from '../../../engine/resp/encode.ts';

it('encodes words as bulk strings, counting bytes and not characters', () => {
  expect(encodeCommand(['SET', 'ключ', Buffer.from([0, 13, 10, 255]), 12, 9007199254740993n])).toEqual(
    Buffer.concat([
      Buffer.from('*5\r\n$3\r\nSET\r\n$8\r\nключ\r\n$4\r\n'),
      Buffer.from([0, 13, 10, 255]),
      Buffer.from('\r\n$2\r\n12\r\n$16\r\n9007199254740993\r\n'),
    ]),
  );
});

it('joins many commands into one buffer of exactly their size', () => {
  const long = 'x'.repeat(1000);
  expect(encodeCommands([['PING'], ['ECHO', long]]).toString()).toBe(
    `*1\r\n$4\r\nPING\r\n*2\r\n$4\r\nECHO\r\n$1000\r\n${long}\r\n`,
  );
});
