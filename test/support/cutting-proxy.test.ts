/** The proxy cuts exactly where it is told, and passes everything else unchanged. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CuttingProxy } from './cutting-proxy.ts';

/** A server that answers each byte with itself, and remembers what it got on each connection. */
let server: Server;
let proxy: CuttingProxy;
let received: Buffer[][];
let ended: Promise<unknown>[];

beforeEach(async () => {
  received = [];
  ended = [];
  server = createServer((socket) => {
    const chunks: Buffer[] = [];
    received.push(chunks);
    ended.push(once(socket, 'end').catch(() => undefined));
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      socket.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  proxy = await CuttingProxy.start({ host: '127.0.0.1', port: address.port });
});
afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

interface Client {
  socket: Socket;
  bytes: () => Buffer;
  closed: Promise<unknown>;
  /** Resolves when so many bytes have come back. */
  got: (count: number) => Promise<void>;
}

async function dial(): Promise<Client> {
  const socket = connect(proxy.endpoint.port, proxy.endpoint.host);
  const chunks: Buffer[] = [];
  let wake: (() => void) | undefined;
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    wake?.();
  });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await once(socket, 'connect');
  const bytes = (): Buffer => Buffer.concat(chunks);
  const got = async (count: number): Promise<void> => {
    while (bytes().length < count) await new Promise<void>((resolve) => (wake = resolve));
  };
  return { socket, bytes, closed, got };
}

const text = (chunks: Buffer[] | undefined): string => Buffer.concat(chunks ?? []).toString();

test('passes a megabyte unchanged, both ways', async () => {
  const client = await dial();
  const sent = Buffer.alloc(1 << 20, 'redis');
  client.socket.write(sent);
  await client.got(sent.length);
  expect(client.bytes().equals(sent)).toBe(true);
  expect(Buffer.concat(received[0] ?? []).equals(sent)).toBe(true);
  client.socket.destroy();
});

test('a dropped request ends at its byte, and the client is reset', async () => {
  const client = await dial();
  client.socket.write('before');
  await client.got(6);
  expect(proxy.arm({ kind: 'drop', direction: 'request', afterBytes: 3 })).toBe(true);
  client.socket.write('abcdef');
  await client.closed;
  await ended[0];
  expect(text(received[0])).toBe('beforeabc');
  expect(proxy.counters).toMatchObject({ connections: 1, drops: 1, late: 0 });
});

test('a dropped reply ends at its byte', async () => {
  const client = await dial();
  client.socket.write('x');
  await client.got(1);
  proxy.arm({ kind: 'drop', direction: 'reply', afterBytes: 2 });
  client.socket.write('abcdef');
  await client.closed;
  expect(client.bytes().toString()).toBe('xab');
});

test('late bytes arrive when their client is gone and another one is there', async () => {
  const first = await dial();
  first.socket.write('x');
  await first.got(1);
  proxy.arm({ kind: 'late', afterBytes: 2, holdMs: 10, lateMs: 50 });
  first.socket.write('abcd');
  await first.closed;
  const second = await dial();
  second.socket.write('second');
  await second.got(6);
  await ended[0];
  expect([text(received[0]), text(received[1])]).toEqual(['xabcd', 'second']);
  expect(proxy.counters).toMatchObject({ late: 1, lateBytes: 2 });
  second.socket.destroy();
});

test('a client killed while its bytes are held does not take them along', async () => {
  const client = await dial();
  client.socket.write('x');
  await client.got(1);
  proxy.arm({ kind: 'late', afterBytes: 0, holdMs: 20, lateMs: 10 });
  client.socket.end('held');
  await ended[0];
  expect(text(received[0])).toBe('xheld');
});

test('healing forgets what was to be delivered late', async () => {
  const client = await dial();
  client.socket.write('x');
  await client.got(1);
  proxy.arm({ kind: 'late', afterBytes: 0, holdMs: 60_000, lateMs: 0 });
  client.socket.write('held');
  while (proxy.live > 0) await new Promise((resolve) => setImmediate(resolve));
  proxy.heal();
  await ended[0];
  await client.closed;
  expect(text(received[0])).toBe('x');
});

test('healing takes back a cut that has not happened', async () => {
  const client = await dial();
  client.socket.write('x');
  await client.got(1);
  proxy.arm({ kind: 'drop', direction: 'request', afterBytes: 1 });
  proxy.heal();
  client.socket.write('abcdef');
  await client.got(7);
  expect(client.bytes().toString()).toBe('xabcdef');
  client.socket.destroy();
});

test('nothing can be cut when nobody is connected', () => {
  expect(proxy.arm({ kind: 'drop', direction: 'reply', afterBytes: 0 })).toBe(false);
});
