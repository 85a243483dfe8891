import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  checkpointKey,
  claimCheckpoint,
  encodeCheckpoint,
  encodeExecAndWatch,
  encodeLoaded,
  encodeLoading,
  loadingKey,
  readCheckpoint,
  readLinkRecord,
  type Checkpoint,
} from '../../../engine/apply/checkpoint.ts';
import { Target } from '../../../engine/apply/target.ts';
import { Connection } from '../../../engine/connect/connection.ts';
import type { Reply } from '../../../engine/resp/reply.ts';
import { startServer, type TestServer } from '../../support/server.ts';

const LINK = 'a->b';
const AT: Checkpoint = {
  replid: 'r'.repeat(40),
  offset: 12_345_678_901_234n,
  database: 12,
  path: 'p'.repeat(40),
  alone: true,
};

let server: TestServer;
let connection: Connection;
beforeAll(async () => {
  server = await startServer();
  connection = await Connection.open(server.endpoint);
});
afterAll(async () => {
  await connection.close();
  await server.stop();
});
beforeEach(() => connection.call('FLUSHALL'));

/** Writes an envelope that counts up, all but its EXEC. */
function stage(on: Connection, offset: bigint): Promise<Reply[]> {
  const bytes = Buffer.concat([
    Buffer.from('*1\r\n$5\r\nMULTI\r\n'),
    encodeCheckpoint(checkpointKey(LINK), { ...AT, offset }),
    Buffer.from('*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n'),
  ]);
  return on.pipelineRaw(bytes, 3);
}

function exec(on: Connection): Promise<Reply[]> {
  return on.pipelineRaw(encodeExecAndWatch(LINK), 2);
}

function makeTarget(name: string): Target {
  return new Target({
    endpoint: server.endpoint,
    name,
    replyTimeoutMs: 5000,
    retryMs: 0,
    random: () => 0,
    now: () => 0,
    onWaiting: () => undefined,
    onWorking: () => undefined,
  });
}

describe('the checkpoint', () => {
  it('is read back as it was written', async () => {
    for (const checkpoint of [AT, { ...AT, alone: false, database: 0, offset: 0n }]) {
      await connection.call('DEL', checkpointKey(LINK));
      await connection.pipelineRaw(encodeCheckpoint(checkpointKey(LINK), checkpoint), 1);
      expect(await readCheckpoint(connection, LINK)).toEqual(checkpoint);
      expect(await readLinkRecord(connection, LINK)).toEqual({
        checkpoint,
        loading: false,
        alone: checkpoint.alone,
      });
    }
  });

  it('is null where there is none', async () => {
    expect(await readCheckpoint(connection, LINK)).toBe(null);
    expect(await readLinkRecord(connection, LINK)).toEqual({
      checkpoint: null,
      loading: false,
      alone: undefined,
    });
  });

  const DAMAGE: [name: string, commands: string[][]][] = [
    ['another type', [['SET', checkpointKey(LINK), 'x']]],
    ['a field missing', [['HSET', checkpointKey(LINK), 'replid', 'x', 'db', '0']]],
    [
      'an offset that is no number',
      [['HSET', checkpointKey(LINK), 'replid', 'x', 'offset', '-1', 'db', '0']],
    ],
    ['a database that is no number', [['HSET', checkpointKey(LINK), 'replid', 'x', 'offset', '1', 'db', '']]],
    ['another type for the mark of a full sync', [['SET', loadingKey(LINK), 'x']]],
  ];
  for (const [name, commands] of DAMAGE) {
    it(`is not guessed when the key holds ${name}`, async () => {
      await connection.pipeline(commands);
      await expect(readLinkRecord(connection, LINK)).rejects.toMatchObject({
        code: 'PROTOCOL',
        hint: expect.stringContaining('HGETALL'),
      });
    });
  }

  it('gives way to the mark of a full sync, and comes back when that is done', async () => {
    const begin = encodeLoading(LINK, AT);
    const end = encodeLoaded(LINK, { ...AT, alone: false });
    await connection.pipelineRaw(encodeCheckpoint(checkpointKey(LINK), AT), 1);
    expect(await connection.pipelineRaw(begin.bytes, begin.replies)).toHaveLength(begin.replies);
    expect(await readLinkRecord(connection, LINK)).toEqual({ checkpoint: null, loading: true, alone: true });
    expect(await connection.call('EXISTS', checkpointKey(LINK))).toBe(0);
    expect(await connection.pipelineRaw(end.bytes, end.replies)).toHaveLength(end.replies);
    expect(await readLinkRecord(connection, LINK)).toEqual({
      checkpoint: { ...AT, alone: false },
      loading: false,
      alone: false,
    });
    expect(await connection.call('EXISTS', loadingKey(LINK))).toBe(0);
    // Nothing is left unread on the connection.
    expect(await connection.call('PING')).toBe('PONG');
  });
});

describe('the fence', () => {
  it('lets transactions of the one who claimed through, one after the other', async () => {
    await claimCheckpoint(connection, LINK);
    for (const offset of [1n, 2n, 3n]) {
      await stage(connection, offset);
      expect((await exec(connection))[0]).toHaveLength(2);
    }
    expect(await claimCheckpoint(connection, LINK)).toMatchObject({ offset: 3n });
  });

  it('stops a transaction whose connection was overtaken, also when the checkpoint has not moved', async () => {
    await using late = await Connection.open(server.endpoint);
    await claimCheckpoint(late, LINK);
    await stage(late, 1n);
    expect(await claimCheckpoint(connection, LINK)).toBe(null);
    expect(await exec(late)).toEqual([null, 'OK']);
    expect(await connection.call('EXISTS', 'n')).toBe(0);
    await stage(connection, 1n);
    expect((await exec(connection))[0]).toEqual([expect.any(Number), 1]);
  });

  it('stops a transaction when somebody removed or changed the checkpoint', async () => {
    await using other = await Connection.open(server.endpoint);
    await connection.pipelineRaw(encodeCheckpoint(checkpointKey(LINK), AT), 1);
    for (const change of [
      ['FLUSHALL'],
      ['HSET', checkpointKey(LINK), 'offset', '5'],
      ['DEL', checkpointKey(LINK)],
    ]) {
      await connection.pipelineRaw(encodeCheckpoint(checkpointKey(LINK), AT), 1);
      await claimCheckpoint(connection, LINK);
      await stage(connection, 1n);
      await other.call(...change);
      expect((await exec(connection))[0]).toBe(null);
    }
    expect(await connection.call('EXISTS', 'n')).toBe(0);
  });

  it('waits for a target that takes no writes now', async () => {
    await connection.call('CONFIG', 'SET', 'maxmemory', 1);
    await expect(claimCheckpoint(connection, LINK)).rejects.toMatchObject({
      code: 'APPLY_REFUSED',
      retryable: true,
    });
    await connection.call('CONFIG', 'SET', 'maxmemory', 0);
  });
});

describe('a connection to the target', () => {
  it('ends those the lane had before, and no others', async () => {
    const { signal } = new AbortController();
    const [first, second, other] = [
      makeTarget('redis-sync:my link'),
      makeTarget('redis-sync:my link'),
      makeTarget('redis-sync:my link 2'),
    ];
    const before = await first.connect(signal);
    const unrelated = await other.connect(signal);
    // Half a transaction of the old connection, which must not be finished any more.
    await stage(before, 1n);
    const after = await second.connect(signal);
    await expect(before.pipelineRaw(encodeExecAndWatch(LINK), 2)).rejects.toMatchObject({ code: 'CONNECT' });
    expect(await unrelated.call('PING')).toBe('PONG');
    expect(await after.call('EXISTS', 'n')).toBe(0);
    await Promise.all([first.close(), second.close(), other.close()]);
  });
});
