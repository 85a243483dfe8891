import { describe, expect, it } from 'vitest';
import { SyncError } from '../../../engine/errors.ts';
import { ReplyParser } from '../../../engine/resp/reply-parser.ts';
import { ReplyError, type Reply } from '../../../engine/resp/reply.ts';

function parse(chunks: readonly Buffer[]): Reply[] {
  const replies: Reply[] = [];
  const parser = new ReplyParser((reply) => replies.push(reply));
  for (const chunk of chunks) parser.push(chunk);
  return replies;
}

const CASES: [name: string, wire: string, expected: Reply[]][] = [
  ['simple string', '+OK\r\n', ['OK']],
  ['error', '-OOM command not allowed\r\n', [new ReplyError('OOM command not allowed')]],
  ['integers', ':0\r\n:-7\r\n:9007199254740993\r\n', [0, -7, 9007199254740993n]],
  ['bulk with CRLF inside', '$4\r\na\r\nb\r\n', [Buffer.from('a\r\nb')]],
  ['empty and null bulk', '$0\r\n\r\n$-1\r\n', [Buffer.alloc(0), null]],
  [
    'nested arrays',
    '*3\r\n*0\r\n*-1\r\n*2\r\n:1\r\n$1\r\nx\r\n+after\r\n',
    [[[], null, [1, Buffer.from('x')]], 'after'],
  ],
  ['an error inside EXEC', '*2\r\n+OK\r\n-WRONGTYPE no\r\n', [['OK', new ReplyError('WRONGTYPE no')]]],
  [
    'RESP3 map, set, null, boolean, double',
    '%1\r\n+k\r\n:1\r\n~1\r\n_\r\n#t\r\n,1.5\r\n',
    [['k', 1], [null], 1, '1.5'],
  ],
];

describe('ReplyParser', () => {
  for (const [name, wire, expected] of CASES) {
    it(`parses ${name} whole and cut at every byte`, () => {
      const bytes = Buffer.from(wire);
      expect(parse([bytes])).toEqual(expected);
      for (let cut = 1; cut < bytes.length; cut++) {
        expect(parse([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(expected);
      }
      expect(parse([...bytes].map((byte) => Buffer.from([byte])))).toEqual(expected);
    });
  }

  it('copies bulk strings, so that a kept value does not keep its network chunk', () => {
    const chunk = Buffer.from('$1\r\nx\r\n');
    const [reply] = parse([chunk]);
    chunk.fill(0);
    expect(reply).toEqual(Buffer.from('x'));
  });

  for (const wire of [
    'HTTP/1.1 400\r\n',
    ':abc\r\n',
    '$x\r\n',
    '*99999999999999999999\r\n',
    '$2\r\nabcd\r\n',
  ]) {
    it(`rejects ${JSON.stringify(wire)} with a PROTOCOL error`, () => {
      expect(() => parse([Buffer.from(wire)])).toThrow(SyncError);
    });
  }

  it('rejects nesting without end instead of growing', () => {
    expect(() => parse([Buffer.from('*1\r\n'.repeat(10_000))])).toThrow(/nested too deeply/);
  });
});
