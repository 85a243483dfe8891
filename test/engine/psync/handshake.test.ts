import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import {
  openReplicaSession,
  type HandshakeOptions,
  type ReplicaSession,
  type ReplicationPosition,
} from '../../../engine/psync/handshake.ts';
import { startScriptedSource, type Script } from '../../support/scripted-source.ts';

const REPLID = '0123456789abcdef0123456789abcdef01234567';
const NEW_REPLID = 'fedcba9876543210fedcba9876543210fedcba98';
const AT: ReplicationPosition = { replid: REPLID, offset: 4_294_967_296_000n };

const OPTIONS: HandshakeOptions = { connectTimeoutMs: 2000, idleTimeoutMs: 2000 };

/** Plays one script against the handshake. */
async function open(
  script: Script,
  position: ReplicationPosition | null = null,
  options = OPTIONS,
  login = {},
): Promise<ReplicaSession> {
  await using source = await startScriptedSource(script);
  const session = await openReplicaSession({ ...source.endpoint, ...login }, position, options);
  session.socket.destroy();
  await source.played;
  return session;
}

describe('openReplicaSession', () => {
  it('asks for everything when it has nothing, one line at a time, and announces no listening port', async () => {
    const { answer, rest } = await open(async (peer) => {
      await peer.shakeHands('?', '-1');
      await peer.send(`+FULLRESYNC ${REPLID} 4294967296000\r\n\n\n$5\r\nRE`);
      await peer.closed();
      expect(peer.waiting).toEqual([]);
    });
    expect(answer).toEqual({ kind: 'full', replid: REPLID, offset: 4_294_967_296_000n });
    expect(rest.toString()).toBe('\n\n$5\r\nRE');
  });

  it('continues behind the last byte it has, and adopts the id of a promoted replica', async () => {
    const { answer, rest } = await open(async (peer) => {
      await peer.shakeHands(REPLID, '4294967296001');
      await peer.send(`+CONTINUE ${NEW_REPLID}\r\n*1\r\n`);
      await peer.closed();
    }, AT);
    expect(answer).toEqual({ kind: 'continue', replid: NEW_REPLID });
    expect(rest.toString()).toBe('*1\r\n');
  });

  it('keeps its id when a source older than 4.0 continues without naming one', async () => {
    const { answer } = await open(async (peer) => {
      await peer.shakeHands(REPLID, '4294967296001');
      await peer.send('+CONTINUE\r\n');
      await peer.closed();
    }, AT);
    expect(answer).toEqual({ kind: 'continue', replid: REPLID });
  });

  it('logs in first, with a user name when there is one', async () => {
    for (const [login, words] of [
      [{ password: 'sesame' }, ['AUTH', 'sesame']],
      [{ username: 'ali', password: 'sesame' }, ['AUTH', 'ali', 'sesame']],
    ] as const) {
      const { answer } = await open(
        async (peer) => {
          await peer.expect(...words);
          await peer.send('+OK\r\n');
          await peer.shakeHands('?', '-1');
          await peer.send(`+FULLRESYNC ${REPLID} 0\r\n`);
          await peer.closed();
        },
        null,
        OPTIONS,
        login,
      );
      expect(answer.kind).toBe('full');
    }
  });

  it('goes on when an old source does not know a capability', async () => {
    const { answer } = await open(async (peer) => {
      await peer.expect('REPLCONF', 'capa', 'eof', 'capa', 'psync2', 'version', '9.0.0');
      await peer.send('-ERR Unrecognized REPLCONF option: capa\r\n');
      await peer.expect('PSYNC', '?', '-1');
      await peer.send(`+FULLRESYNC ${REPLID} 12\r\n`);
      await peer.closed();
    });
    expect(answer).toEqual({ kind: 'full', replid: REPLID, offset: 12n });
  });

  it('skips the newlines of a source that is busy, and reads an answer cut at every byte', async () => {
    const { answer } = await open(async (peer) => {
      await peer.shakeHands('?', '-1');
      for (const byte of Buffer.from(`\n\n+FULLRESYNC ${REPLID} 7\r\n`)) await peer.send(Buffer.from([byte]));
      await peer.closed();
    });
    expect(answer).toEqual({ kind: 'full', replid: REPLID, offset: 7n });
  });

  it('waits longer than the idle limit for PSYNC as long as newlines come', async () => {
    const idleTimeoutMs = 600;
    const { answer } = await open(
      async (peer) => {
        await peer.shakeHands('?', '-1');
        // Together longer than the limit, each far below it, so that a busy machine does not decide.
        for (let index = 0; index < 8; index++) {
          await new Promise((resolve) => setTimeout(resolve, idleTimeoutMs / 6));
          await peer.send('\n');
        }
        await peer.send(`+FULLRESYNC ${REPLID} 7\r\n`);
        await peer.closed();
      },
      null,
      { connectTimeoutMs: 2000, idleTimeoutMs },
    );
    expect(answer.kind).toBe('full');
  });

  const REFUSALS: [name: string, line: string, expected: object][] = [
    [
      'no login',
      '-NOAUTH Authentication required.',
      { code: 'AUTH', retryable: false, hint: expect.stringContaining('passwordFile') },
    ],
    [
      'no permission',
      "-NOPERM User x has no permissions to run the 'psync' command",
      { code: 'PSYNC_REFUSED', retryable: false, hint: expect.stringContaining('+psync +replconf') },
    ],
    [
      'a renamed command',
      "-ERR unknown command 'PSYNC', with args beginning with: '?'",
      { code: 'PSYNC_REFUSED', retryable: false, hint: expect.stringContaining('rename-command') },
    ],
    [
      'loading',
      '-LOADING Redis is loading the dataset in memory',
      { code: 'PSYNC_REFUSED', retryable: true },
    ],
    [
      'a replica without its primary',
      "-NOMASTERLINK Can't SYNC while not connected with my master",
      { code: 'PSYNC_REFUSED', retryable: true },
    ],
    [
      'a stale replica',
      "-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
      { code: 'PSYNC_REFUSED', retryable: true },
    ],
    [
      'a script that runs',
      '-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
      { code: 'PSYNC_REFUSED', retryable: true },
    ],
    ['too many clients', '-ERR max number of clients reached', { code: 'PSYNC_REFUSED', retryable: true }],
    [
      'something else',
      '-ERR not today',
      { code: 'PSYNC_REFUSED', retryable: false, message: expect.stringContaining('ERR not today') },
    ],
    ['an answer that is none', '+WHAT is this', { code: 'PSYNC_REFUSED', retryable: false }],
    ['a full sync without its offset', `+FULLRESYNC ${REPLID}`, { code: 'PSYNC_REFUSED', retryable: false }],
    ['a continuation of nothing', '+CONTINUE', { code: 'PSYNC_REFUSED', retryable: false }],
  ];
  for (const [name, line, expected] of REFUSALS) {
    it(`words a refusal: ${name}`, async () => {
      await using source = await startScriptedSource(async (peer) => {
        await peer.shakeHands('?', '-1');
        await peer.send(`${line}\r\n`);
        await peer.closed();
      });
      await expect(openReplicaSession(source.endpoint, null, OPTIONS)).rejects.toMatchObject({
        where: `127.0.0.1:${source.endpoint.port}`,
        ...expected,
      });
      await source.played;
    });
  }

  it('does not ask on when the source cannot say at the moment what it can', async () => {
    await using source = await startScriptedSource(async (peer) => {
      await peer.next();
      await peer.send('-BUSY Redis is busy running a script.\r\n');
      await peer.closed();
      expect(peer.waiting).toEqual([]);
    });
    await expect(openReplicaSession(source.endpoint, null, OPTIONS)).rejects.toMatchObject({
      code: 'PSYNC_REFUSED',
      retryable: true,
    });
    await source.played;
  });

  it('stops at a wrong password before asking for anything, and does not print it', async () => {
    await using source = await startScriptedSource(async (peer) => {
      await peer.expect('AUTH', 'not-it');
      await peer.send('-WRONGPASS invalid username-password pair or user is disabled.\r\n');
      await peer.closed();
      expect(peer.waiting).toEqual([]);
    });
    const opening = openReplicaSession({ ...source.endpoint, password: 'not-it' }, null, OPTIONS);
    await expect(opening).rejects.toMatchObject({
      code: 'AUTH',
      message: expect.not.stringContaining('not-it'),
    });
    await source.played;
  });

  it('reports a source that goes away, or says nothing, as worth another try', async () => {
    await using source = await startScriptedSource(
      async (peer) => {
        await peer.next();
        peer.reset();
      },
      async (peer) => {
        await peer.shakeHands('?', '-1');
        await peer.send('+FULLRESYNC 0123');
        await peer.end();
      },
      async (peer) => {
        await peer.next();
        await peer.closed();
      },
    );
    const options = { connectTimeoutMs: 2000, idleTimeoutMs: 100 };
    for (const [command, why] of [
      ['REPLCONF', /REPLCONF/],
      ['PSYNC', /PSYNC.*closed the connection/],
      ['REPLCONF', /no answer/],
    ] as const) {
      const opening = openReplicaSession(source.endpoint, null, options);
      await expect(opening).rejects.toMatchObject({
        code: 'CONNECT',
        retryable: true,
        message: expect.stringMatching(why),
      });
      await expect(opening).rejects.toThrow(command);
    }
    await source.played;
  });

  it('does not collect a line without end', async () => {
    await using source = await startScriptedSource(async (peer) => {
      await peer.next();
      for (let index = 0; index < 100; index++) await peer.send('x'.repeat(1024));
      await peer.closed();
    });
    await expect(openReplicaSession(source.endpoint, null, OPTIONS)).rejects.toMatchObject({
      code: 'PROTOCOL',
    });
    await source.played;
  });

  it('ends at once when it is aborted, and leaves no listener behind in any case', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    await using source = await startScriptedSource(
      async (peer) => {
        await peer.shakeHands('?', '-1');
        await peer.send(`+FULLRESYNC ${REPLID} 7\r\n`);
        await peer.closed();
      },
      async (peer) => {
        await peer.next();
        controller.abort();
        await peer.closed();
      },
    );
    const session = await openReplicaSession(source.endpoint, null, { ...OPTIONS, signal });
    session.socket.destroy();
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    await expect(openReplicaSession(source.endpoint, null, { ...OPTIONS, signal })).rejects.toMatchObject({
      code: 'CONNECT',
    });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    await source.played;
  });
});
