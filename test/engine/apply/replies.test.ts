import { describe, expect, it } from 'vitest';
import { findCommands, wordRefusal } from '../../../engine/apply/refusals.ts';
import { reactionTo, unwrapRefusal, type Reaction } from '../../../engine/apply/replies.ts';
import { encodeCommands } from '../../../engine/resp/encode.ts';
import { ReplyError } from '../../../engine/resp/reply.ts';

/** What real servers (6.2–8.0, Valkey 8) answer. */
const REPLIES: [reaction: Reaction, text: string][] = [
  ['retry', "OOM command not allowed when used memory > 'maxmemory'."],
  ['retry', 'LOADING Redis is loading the dataset in memory'],
  ['retry', "READONLY You can't write against a read only replica."],
  ['retry', "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."],
  ['retry', 'NOREPLICAS Not enough good replicas to write.'],
  ['retry', 'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.'],
  [
    'retry',
    'MISCONF Redis is configured to save RDB snapshots, but it is currently not able to persist on disk.',
  ],
  ['retry', 'CLUSTERDOWN The cluster is down'],
  ['retry', 'TRYAGAIN Multiple keys request during rehashing of slot'],
  ['retry', "NOPERM User app has no permissions to run the 'set' command"],
  ['retry', 'NOAUTH Authentication required.'],
  ['retry', 'ERR max number of clients reached'],
  ['count', 'WRONGTYPE Operation against a key holding the wrong kind of value'],
  ['count', 'BUSYGROUP Consumer Group name already exists'],
  ['count', "NOGROUP No such key 's' or consumer group 'g'"],
  ['count', 'ERR value is not an integer or out of range'],
  ['count', 'ERR no such key'],
  ['stop', "ERR unknown command 'HSETEX', with args beginning with: 'h'"],
  ['stop', "ERR unknown subcommand 'FOO'. Try XGROUP HELP."],
  ['stop', 'ERR DUMP payload version or checksum are wrong'],
  ['stop', 'ERR SELECT is not allowed in cluster mode'],
];

describe('the table of replies', () => {
  for (const [reaction, text] of REPLIES) {
    it(`${reaction}: ${text.slice(0, 40)}`, () => {
      expect(reactionTo(new ReplyError(text))).toMatchObject({
        reaction,
        hint: expect.stringMatching(/\w{3}/),
      });
    });
  }

  it('looks behind EXECABORT, where EXEC itself was refused', () => {
    const error = unwrapRefusal(
      new ReplyError(
        "EXECABORT Transaction discarded because of: OOM command not allowed when used memory > 'maxmemory'.",
      ),
    );
    expect(error.kind).toBe('OOM');
    expect(reactionTo(error).reaction).toBe('retry');
  });

  it('leaves every other error as it is', () => {
    for (const text of [
      'EXECABORT Transaction discarded because of previous errors.',
      'OOM x',
      'ERR discarded because of: nothing',
    ]) {
      expect(unwrapRefusal(new ReplyError(text)).message).toBe(text);
    }
  });
});

describe('findCommands', () => {
  const bytes = encodeCommands([
    ['MULTI'],
    ['set', Buffer.from([0, 255]), 'secret'],
    ['PING'],
    ['DEL', 'a', 'b'],
  ]);

  it('cuts the wanted commands out of a buffer, with name in capitals and first key as bytes', () => {
    const found = findCommands(bytes, [1, 3]);
    expect(found).toMatchObject([
      { index: 1, name: 'SET', key: Buffer.from([0, 255]) },
      { index: 3, name: 'DEL', key: Buffer.from('a') },
    ]);
    expect(
      Buffer.concat(found.map((command) => command.bytes)).equals(
        encodeCommands([
          ['set', Buffer.from([0, 255]), 'secret'],
          ['DEL', 'a', 'b'],
        ]),
      ),
    ).toBe(true);
  });

  it('has an empty key for a command without arguments, and finds nothing behind the end', () => {
    expect(findCommands(bytes, [0, 2, 9])).toMatchObject([
      { name: 'MULTI', key: Buffer.alloc(0) },
      { name: 'PING' },
    ]);
  });
});

describe('wordRefusal', () => {
  it('names command, key, reply and place, and never a value', () => {
    const [command] = findCommands(
      encodeCommands([['SET', Buffer.from('k"\n\xff', 'latin1'), 'secret']]),
      [0],
    );
    const error = wordRefusal(new ReplyError('OOM command not allowed'), command, '127.0.0.1:1');
    expect(error).toMatchObject({
      code: 'APPLY_REFUSED',
      retryable: true,
      where: '127.0.0.1:1',
      hint: expect.stringContaining('maxmemory'),
    });
    expect(error.message).toBe('The target refused SET "k\\"\\x0a\\xff": OOM command not allowed');
  });

  it('bounds the key, and is not retryable when waiting cannot help', () => {
    const [command] = findCommands(encodeCommands([['NEWCMD', 'k'.repeat(1000)]]), [0]);
    const error = wordRefusal(new ReplyError("ERR unknown command 'NEWCMD'"), command, 'x');
    expect(error.retryable).toBe(false);
    expect(error.message.length).toBeLessThan(300);
    expect(error.message).toContain('(1000 bytes)');
  });
});
