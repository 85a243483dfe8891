import { getEventListeners } from 'node:events';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Connection } from '../../../engine/connect/connection.ts';
import { ReplyError } from '../../../engine/resp/reply.ts';
import { freePort, startServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ requirepass: 'sesame' });
});
afterAll(() => server.stop());

describe('Connection', () => {
  it('logs in, answers in order, returns error replies as values', async () => {
    await using connection = await Connection.open(
      { ...server.endpoint, password: 'sesame' },
      { name: 'redis-sync-test' },
    );
    expect(await connection.call('CLIENT', 'GETNAME')).toEqual(Buffer.from('redis-sync-test'));
    const replies = await connection.pipeline([
      ['SET', 'k', Buffer.from([0, 255])],
      ['GET', 'k'],
      ['INCR', 'k'],
      ['PING'],
    ]);
    expect(replies.map((reply) => (reply instanceof ReplyError ? reply.kind : reply))).toEqual([
      'OK',
      Buffer.from([0, 255]),
      'ERR',
      'PONG',
    ]);
  });

  it('words a wrong and a missing password, and never prints the password', async () => {
    const wrong = Connection.open({ ...server.endpoint, password: 'not-it' });
    await expect(wrong).rejects.toMatchObject({
      code: 'AUTH',
      message: expect.stringContaining('WRONGPASS'),
    });
    await expect(wrong).rejects.not.toMatchObject({ message: expect.stringContaining('not-it') });
    await using anonymous = await Connection.open(server.endpoint);
    await expect(anonymous.call('GET', 'k')).rejects.toMatchObject({
      code: 'AUTH',
      hint: expect.stringContaining('passwordFile'),
    });
  });

  it('answers nothing to nothing, without taking the reply of what comes behind', async () => {
    await using connection = await Connection.open({ ...server.endpoint, password: 'sesame' });
    const [none, raw, pong] = await Promise.all([
      connection.pipeline([]),
      connection.pipelineRaw(Buffer.alloc(0), 0),
      connection.call('PING'),
    ]);
    expect([none, raw, pong]).toEqual([[], [], 'PONG']);
  });

  it('gives up a login that is not answered, within the limit for connecting or at an abort', async () => {
    const peer = createServer(() => undefined);
    await new Promise<void>((resolve) => peer.listen(0, '127.0.0.1', resolve));
    const address = peer.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const endpoint = { host: '127.0.0.1', port: address.port, password: 'x' };
    const limited = Connection.open(endpoint, { connectTimeoutMs: 50 });
    await expect(limited).rejects.toMatchObject({
      code: 'CONNECT',
      retryable: true,
      message: expect.stringContaining('no answer'),
    });
    const controller = new AbortController();
    const aborted = Connection.open(endpoint, { name: 'x', signal: controller.signal });
    setImmediate(() => controller.abort());
    await expect(aborted).rejects.toMatchObject({ code: 'CONNECT' });
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    peer.close();
  });

  it('says that nothing listens', async () => {
    const port = await freePort();
    await expect(Connection.open({ host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'CONNECT',
      where: `127.0.0.1:${port}`,
      hint: expect.stringContaining('Nothing listens'),
    });
  });

  it('rejects everything in flight with a retryable error when the peer goes away', async () => {
    const peer = createServer((socket) => socket.once('data', () => socket.destroy()));
    await new Promise<void>((resolve) => peer.listen(0, '127.0.0.1', resolve));
    const address = peer.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    await using connection = await Connection.open({ host: '127.0.0.1', port: address.port });
    const answers = await Promise.allSettled([connection.call('INCR', 'a'), connection.call('INCR', 'b')]);
    expect(answers.map((answer) => answer.status)).toEqual(['rejected', 'rejected']);
    await expect(connection.call('PING')).rejects.toMatchObject({ code: 'CONNECT', retryable: true });
    peer.close();
  });

  it('gives up on a peer that accepts and never answers', async () => {
    const peer = createServer(() => undefined);
    await new Promise<void>((resolve) => peer.listen(0, '127.0.0.1', resolve));
    const address = peer.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    await using connection = await Connection.open(
      { host: '127.0.0.1', port: address.port },
      { replyTimeoutMs: 50 },
    );
    await expect(connection.call('PING')).rejects.toMatchObject({
      code: 'CONNECT',
      message: expect.stringContaining('No reply'),
    });
    peer.close();
  });
});
