import { getEventListeners } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LogCursor } from '../../../engine/log/log-cursor.ts';
import { ReplicationLog } from '../../../engine/log/replication-log.ts';
import type { ReplicationPosition } from '../../../engine/psync/handshake.ts';
import { Receiver, type ReceiverOptions } from '../../../engine/psync/receiver.ts';
import { encodeCommand } from '../../../engine/resp/encode.ts';
import { startScriptedSource, type Script, type ScriptedSource } from '../../support/scripted-source.ts';

const REPLID = '0123456789abcdef0123456789abcdef01234567';
const NEW_REPLID = 'fedcba9876543210fedcba9876543210fedcba98';
const MARKER = 'm'.repeat(39) + 'n';
const PING = encodeCommand(['PING']).toString();
const SET = encodeCommand(['SET', 'k', 'v']).toString();

let folder: string;
let log: ReplicationLog;
let cursor: LogCursor;
/** What the receiver told: syncs and losses, in order. */
let told: string[];
let waits: number[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'redis-sync-receiver-'));
  log = new ReplicationLog({ folder: join(folder, 'spool'), memoryBytesMax: 1 << 20, diskBytesMax: 1 << 20 });
  cursor = log.openCursor();
  told = [];
  waits = [];
});

afterEach(async () => {
  vi.useRealTimers();
  await log.close();
  await rm(folder, { recursive: true, force: true });
});

function makeReceiver(source: ScriptedSource, options: Partial<ReceiverOptions> = {}): Receiver {
  return new Receiver({
    source: source.endpoint,
    log,
    position: null,
    idleTimeoutMs: 5000,
    retryMs: 60_000,
    appliedOffset: () => -1n,
    random: () => 0,
    now: () => performance.now(),
    events: {
      syncStarted: (mode, { replid, offset }, cause) =>
        told.push(`${mode} ${replid.slice(0, 4)}:${offset} (${cause})`),
      lost: (error, waitMs, attempt) => {
        told.push(`lost ${attempt}: ${error.message}`);
        waits.push(waitMs);
      },
    },
    ...options,
  });
}

/** Runs the receiver until every script was played, then stops it. */
async function play(scripts: Script[], options: Partial<ReceiverOptions> = {}): Promise<Receiver> {
  await using source = await startScriptedSource(...scripts);
  const receiver = makeReceiver(source, options);
  const controller = new AbortController();
  const running = receiver.run(controller.signal);
  try {
    await Promise.race([
      source.played,
      running.then(() => Promise.reject(new Error('the receiver ended by itself'))),
    ]);
  } finally {
    controller.abort();
    await running;
  }
  expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  return receiver;
}

/** Everything in the log as one readable text; bytes of adjacent items run together. */
async function logged(): Promise<string> {
  log.append({ kind: 'closed', cause: 'end of test' });
  let text = '';
  for (;;) {
    const item = await cursor.next();
    if (item.kind === 'closed') return text;
    if (item.kind === 'bytes') text += item.chunk.toString('latin1');
    else if (item.kind === 'snapshot-start')
      text += `<start ${item.replid.slice(0, 4)}:${item.offset} ${item.sizeBytes}>`;
    else if (item.kind === 'stream-start') text += `<stream ${item.replid.slice(0, 4)}:${item.offset}>`;
    else text += `<${item.kind}>`;
  }
}

/** Resolves when the log holds so many bytes. (vi.waitUntil would turn the fake clocks.) */
async function bytesArrived(length: number): Promise<void> {
  const deadlineMs = performance.now() + 5000;
  while (log.memoryBytes < length) {
    if (performance.now() > deadlineMs) throw new Error(`only ${log.memoryBytes} of ${length} bytes arrived`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const refuse: Script = async (peer) => {
  await peer.next();
  peer.reset();
};

const at = (offset: bigint): ReplicationPosition => ({ replid: REPLID, offset });

describe('Receiver', () => {
  it('writes a disk-based snapshot and the stream behind it into the log, and knows its position', async () => {
    const receiver = await play([
      async (peer) => {
        await peer.shakeHands('?', '-1');
        await peer.send(`+FULLRESYNC ${REPLID} 100\r\n\n$5\r\nREDIS${PING}`);
        await peer.send(SET);
        await bytesArrived(5 + PING.length + SET.length);
      },
    ]);
    expect(await logged()).toBe(`<start 0123:100 5>REDIS<snapshot-end><stream 0123:100>${PING}${SET}`);
    expect(receiver.position).toEqual(at(100n + BigInt(PING.length + SET.length)));
    expect(told).toEqual(['full 0123:100 (first start)']);
  });

  it('acknowledges as soon as a diskless snapshot has ended: the source holds the stream back until then', async () => {
    await play([
      async (peer) => {
        await peer.shakeHands('?', '-1');
        await peer.send(`+FULLRESYNC ${REPLID} 100\r\n$EOF:${MARKER}\r\nREDIS${MARKER.slice(0, 10)}`);
        await peer.send(MARKER.slice(10));
        await peer.expect('REPLCONF', 'ACK', '0');
        await peer.send(PING);
        await bytesArrived(5 + PING.length);
      },
    ]);
    expect(await logged()).toBe(`<start 0123:100 null>REDIS<snapshot-end><stream 0123:100>${PING}`);
  });

  it('acknowledges every second what is applied, never what is only received, and nothing during the snapshot', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    let applied = -1n;
    await play(
      [
        async (peer) => {
          await peer.shakeHands('?', '-1');
          await peer.send(`+FULLRESYNC ${REPLID} 100\r\n$5\r\nRED`);
          await bytesArrived(3);
          vi.advanceTimersByTime(10_000);
          await peer.send(`IS${PING.repeat(1000)}`);
          await peer.expect('REPLCONF', 'ACK', '0');
          await bytesArrived(5 + 1000 * PING.length);
          applied = 114n;
          vi.advanceTimersByTime(999);
          applied = 128n;
          vi.advanceTimersByTime(1);
          await peer.expect('REPLCONF', 'ACK', '128');
          applied = 142n;
          vi.advanceTimersByTime(2000);
          expect(await peer.next()).toEqual(['REPLCONF', 'ACK', '142']);
          expect(await peer.next()).toEqual(['REPLCONF', 'ACK', '142']);
        },
      ],
      { appliedOffset: () => applied },
    );
    expect(vi.getTimerCount()).toBe(0);
  });

  it('acknowledges at once when it is told to, as for REPLCONF GETACK', async () => {
    await using source = await startScriptedSource(async (peer) => {
      await peer.shakeHands(REPLID, '8');
      await peer.send(`+CONTINUE\r\n${PING}`);
      await bytesArrived(PING.length);
      receiver.acknowledge();
      await peer.expect('REPLCONF', 'ACK', '7');
    });
    const receiver = makeReceiver(source, { position: at(7n), appliedOffset: () => 7n });
    const controller = new AbortController();
    const running = receiver.run(controller.signal);
    await source.played;
    controller.abort();
    await running;
    // Not connected any more: nothing to tell, and nobody to fail.
    expect(() => receiver.acknowledge()).not.toThrow();
  });

  it('continues after a cut inside a command exactly behind the last byte it has, under the new id', async () => {
    const half = SET.length - 7;
    const receiver = await play([
      async (peer) => {
        await peer.shakeHands('?', '-1');
        await peer.send(`+FULLRESYNC ${REPLID} 100\r\n$5\r\nREDIS${PING}${SET.slice(0, half)}`);
        await bytesArrived(5 + PING.length + half);
        peer.reset();
      },
      async (peer) => {
        await peer.shakeHands(REPLID, String(101 + PING.length + half));
        await peer.send(`+CONTINUE ${NEW_REPLID}\r\n${SET.slice(half)}`);
        await bytesArrived(5 + PING.length + SET.length);
        await peer.end();
      },
      async (peer) => {
        await peer.shakeHands(NEW_REPLID, String(101 + PING.length + SET.length));
        await peer.send(`+CONTINUE ${NEW_REPLID}\r\n`);
        await peer.send(PING);
        await bytesArrived(5 + 2 * PING.length + SET.length);
      },
    ]);
    const text = await logged();
    expect(text).toBe(
      `<start 0123:100 5>REDIS<snapshot-end><stream 0123:100>${PING}${SET.slice(0, half)}` +
        `<stream fedc:${100 + PING.length + half}>${SET.slice(half)}<stream fedc:${100 + PING.length + SET.length}>${PING}`,
    );
    expect(receiver.position).toEqual({
      replid: NEW_REPLID,
      offset: 100n + BigInt(2 * PING.length + SET.length),
    });
    expect(told.map((line) => line.split(/[: ]/)[0])).toEqual(['full', 'lost', 'partial', 'lost', 'partial']);
  });

  it('throws a snapshot away that broke off, and asks for a whole new one', async () => {
    await play(
      [
        async (peer) => {
          await peer.shakeHands(REPLID, '43');
          await peer.send(`+FULLRESYNC ${NEW_REPLID} 100\r\n$9\r\nREDIS`);
          await bytesArrived(5);
          peer.reset();
        },
        async (peer) => {
          await peer.shakeHands('?', '-1');
          await peer.send(`+FULLRESYNC ${NEW_REPLID} 200\r\n`);
          await peer.end();
        },
        async (peer) => {
          await peer.shakeHands('?', '-1');
          await peer.send(`+FULLRESYNC ${NEW_REPLID} 300\r\n$2\r\nOK`);
          await bytesArrived(7);
        },
      ],
      { position: at(42n) },
    );
    expect(await logged()).toBe(
      '<start fedc:100 9>REDIS<snapshot-aborted><snapshot-aborted><start fedc:300 2>OK<snapshot-end><stream fedc:300>',
    );
    expect(told[0]).toBe(`full fedc:100 (the source could not continue from ${REPLID}:42 (first start))`);
    expect(told[1]).toContain('closed the connection during the snapshot');
  });

  it('takes FULLRESYNC for an answer when it reconnects, and says why', async () => {
    await play([
      async (peer) => {
        await peer.shakeHands('?', '-1');
        await peer.send(`+FULLRESYNC ${REPLID} 100\r\n$2\r\nOK${PING}`);
        await bytesArrived(2 + PING.length);
        await peer.end();
      },
      async (peer) => {
        await peer.shakeHands(REPLID, String(101 + PING.length));
        await peer.send(`+FULLRESYNC ${NEW_REPLID} 5\r\n$3\r\nNEW${SET}`);
        await bytesArrived(5 + PING.length + SET.length);
      },
    ]);
    expect(await logged()).toBe(
      `<start 0123:100 2>OK<snapshot-end><stream 0123:100>${PING}<start fedc:5 3>NEW<snapshot-end><stream fedc:5>${SET}`,
    );
    expect(told[2]).toMatch(
      /^full fedc:5 \(the source could not continue from 0123456789abcdef0123456789abcdef01234567:114 \(The source closed/,
    );
  });

  it('reconnects to a source that has gone silent', async () => {
    await play(
      [
        async (peer) => {
          await peer.shakeHands(REPLID, '8');
          await peer.send('+CONTINUE\r\n');
          await peer.closed();
        },
        async (peer) => {
          await peer.shakeHands(REPLID, '8');
          await peer.send(`+CONTINUE\r\n${PING}`);
          await bytesArrived(PING.length);
        },
      ],
      { position: at(7n), idleTimeoutMs: 100 },
    );
    expect(told[1]).toMatch(/lost 1: The source has sent nothing for 0.1 s/);
    expect(await logged()).toBe(`<stream 0123:7><stream 0123:7>${PING}`);
  });

  it('waits longer after each failure, with jitter, and starts anew once bytes came', async () => {
    const dice = [0, 0.999_999, 0, 0, 0.5];
    await play(
      [
        refuse,
        refuse,
        refuse,
        async (peer) => {
          await peer.shakeHands(REPLID, '8');
          await peer.send(`+CONTINUE\r\n${PING}`);
          await bytesArrived(PING.length);
          peer.reset();
        },
        async (peer) => {
          await peer.shakeHands(REPLID, String(8 + PING.length));
          await peer.send('+CONTINUE\r\n');
          await peer.end();
        },
        async (peer) => {
          await peer.shakeHands(REPLID, String(8 + PING.length));
        },
      ],
      { position: at(7n), random: () => dice.shift() ?? 0 },
    );
    // 10, 20, 40 with the dice above; then a success, so 10; then one without a byte, so 20.
    expect(waits).toEqual([5, 20, 20, 5, 15]);
  });

  it('gives up when its budget is spent, with the last failure', async () => {
    let nowMs = 0;
    await using source = await startScriptedSource(refuse, async (peer) => {
      nowMs = 60_001;
      await refuse(peer);
    });
    const receiver = makeReceiver(source, { retryMs: 60_000, now: () => nowMs });
    const running = receiver.run(new AbortController().signal);
    await expect(running).rejects.toMatchObject({ code: 'CONNECT', retryable: true });
    expect(source.connections).toBe(2);
  });

  it('does not try again what cannot help', async () => {
    await using source = await startScriptedSource(async (peer) => {
      await peer.shakeHands('?', '-1');
      await peer.send("-ERR unknown command 'PSYNC'\r\n");
      await peer.closed();
    });
    await expect(makeReceiver(source).run(new AbortController().signal)).rejects.toMatchObject({
      code: 'PSYNC_REFUSED',
    });
    expect(source.connections).toBe(1);
    expect(told).toEqual([]);
  });

  it('tries again when the source could not make its snapshot', async () => {
    await play([
      async (peer) => {
        await peer.shakeHands('?', '-1');
        await peer.send(`+FULLRESYNC ${REPLID} 100\r\n\n-ERR BGSAVE failed\r\n`);
        await peer.closed();
      },
      async (peer) => {
        await peer.shakeHands('?', '-1');
      },
    ]);
    expect(told[1]).toContain('BGSAVE failed');
  });

  it('ends with LOG_FULL when the log takes no more, and lets go of the source', async () => {
    await log.close();
    log = new ReplicationLog({ folder: join(folder, 'small'), memoryBytesMax: 0, diskBytesMax: 1000 });
    cursor = log.openCursor();
    await using source = await startScriptedSource(async (peer) => {
      await peer.shakeHands(REPLID, '8');
      await peer.send(`+CONTINUE\r\n`);
      await peer.send('x'.repeat(200_000));
      await peer.closed();
    });
    await expect(
      makeReceiver(source, { position: at(7n) }).run(new AbortController().signal),
    ).rejects.toMatchObject({ code: 'LOG_FULL' });
    await source.played;
  });

  it('stops reading while the log’s disk is behind, without taking the source for silent', async () => {
    const disk = new EventTarget();
    const room = vi
      .spyOn(log, 'room')
      .mockImplementationOnce(
        () => new Promise<void>((resolve) => disk.addEventListener('ready', () => resolve())),
      );
    await play(
      [
        async (peer) => {
          await peer.shakeHands(REPLID, '8');
          await peer.send(`+CONTINUE\r\n${PING}`);
          await bytesArrived(PING.length);
          await peer.send(SET);
          // Twice the idle limit: neither the bytes nor a reconnect may come.
          await new Promise((resolve) => setTimeout(resolve, 200));
          expect(log.memoryBytes).toBe(PING.length);
          disk.dispatchEvent(new Event('ready'));
          await bytesArrived(PING.length + SET.length);
        },
      ],
      { position: at(7n), idleTimeoutMs: 100 },
    );
    expect(room).toHaveBeenCalled();
    expect(told).toEqual(['partial 0123:7 (first start)']);
  });

  it('ends quietly when it is aborted, in every phase', async () => {
    const phases: Script[] = [
      async (peer) => void (await peer.next()),
      async (peer) => {
        await peer.shakeHands('?', '-1');
        await peer.send(`+FULLRESYNC ${REPLID} 100\r\n`);
      },
      async (peer) => {
        await peer.shakeHands('?', '-1');
        await peer.send(`+FULLRESYNC ${REPLID} 100\r\n$9\r\nREDIS`);
        await bytesArrived(5);
      },
    ];
    for (const phase of phases) {
      const controller = new AbortController();
      await using source = await startScriptedSource(async (peer) => {
        await phase(peer);
        controller.abort();
        await peer.closed();
      });
      await makeReceiver(source).run(controller.signal);
      await source.played;
      expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    }
    expect(told.filter((line) => line.startsWith('lost'))).toEqual([]);
  });
});
