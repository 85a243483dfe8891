/** What a gate does to connections: bytes pass unchanged and in order, unless a toxic says otherwise. Real sockets, no Redis. */
import { createHash, randomBytes } from 'node:crypto';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Gate } from '../../../scenarios/proxy/gate.ts';
import type { Toxic, ToxicKind } from '../../../scenarios/proxy/toxic.ts';
import { until } from '../../support/until.ts';

const DATA = randomBytes(300_000);

let gate: Gate;
let server: Server;
let port: number;
/** Connections as the server sees them, oldest first. */
let accepted: Peer[];
let onReached: (watch: string) => void;

beforeEach(async () => {
  accepted = [];
  onReached = () => undefined;
  server = createServer({ allowHalfOpen: true }, (socket) => accepted.push(new Peer(socket)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  gate = new Gate((watch) => onReached(watch));
  port = await gate.open({ host: '127.0.0.1', port: address.port });
});

afterEach(async () => {
  gate.close();
  for (const { socket } of accepted) socket.destroy();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

/** One end of a connection, with everything it has received. */
class Peer {
  readonly socket: Socket;
  received = Buffer.alloc(0);
  ended = false;
  error: string | undefined;
  readonly closed: Promise<void>;
  chunks = 0;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.chunks++;
      this.received = Buffer.concat([this.received, chunk]);
    });
    socket.on('end', () => (this.ended = true));
    socket.on('error', (error) => (this.error = 'code' in error ? String(error.code) : error.message));
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
  }
}

async function dial(): Promise<{ client: Peer; server: Peer }> {
  const count = accepted.length;
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const client = new Peer(socket);
  await until(() => accepted.length > count);
  const peer = accepted.at(-1);
  if (peer === undefined) throw new Error('nobody came');
  return { client, server: peer };
}

function toxic(kind: ToxicKind, streams: Toxic['streams'] = ['downstream']): Toxic {
  return { ...kind, name: 'it', streams };
}

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const effect = () => gate.status().effects['it'];

test('without toxics everything passes in both directions, and so do the ends', async () => {
  const { client, server: peer } = await dial();
  client.socket.end(DATA);
  await until(() => peer.ended);
  expect(digest(peer.received)).toBe(digest(DATA));
  peer.socket.end('bye');
  await until(() => client.ended);
  expect(client.received.toString()).toBe('bye');
  await until(() => gate.status().counters.live === 0);
  expect(gate.status().counters).toMatchObject({
    connections: 1,
    upstreamBytes: DATA.length,
    downstreamBytes: 3,
  });
});

test('a server that is not there is a reset, not a farewell', async () => {
  await new Promise<void>((resolve) => server.close(() => resolve()));
  const client = new Peer(connect(port, '127.0.0.1'));
  await client.closed;
  expect(client.error).toBe('ECONNRESET');
});

describe('all bytes arrive, unchanged and in order, through', () => {
  test.each<[ToxicKind]>([
    [{ kind: 'latency', latencyMs: 5, jitterMs: 4 }],
    [{ kind: 'bandwidth', bytesPerSecond: 3_000_000 }],
    [{ kind: 'slicer', bytes: 997, delayMs: 0 }],
  ])('%o', async (kind) => {
    gate.add(toxic(kind));
    const { client, server: peer } = await dial();
    peer.socket.end(DATA);
    await until(() => client.ended);
    expect(digest(client.received)).toBe(digest(DATA));
    expect(effect()).toMatchObject({ bytes: DATA.length, connections: 1, droppedBytes: 0 });
  });

  test('a toxic that comes and goes while they flow', async () => {
    const { client, server: peer } = await dial();
    peer.socket.write(DATA.subarray(0, 100_000));
    gate.add(toxic({ kind: 'latency', latencyMs: 20, jitterMs: 20 }));
    peer.socket.write(DATA.subarray(100_000, 200_000));
    await until(() => (effect()?.bytes ?? 0) > 0);
    gate.remove('it');
    peer.socket.end(DATA.subarray(200_000));
    await until(() => client.ended);
    expect(digest(client.received)).toBe(digest(DATA));
  });
});

test('limit-data lets exactly so many bytes pass, on each connection, then breaks it', async () => {
  gate.add(toxic({ kind: 'limit-data', bytes: 12_345 }));
  for (let round = 1; round <= 2; round++) {
    const { client, server: peer } = await dial();
    peer.socket.write(DATA);
    await until(() => client.ended);
    await peer.closed;
    expect(peer.error).toBe('ECONNRESET');
    expect(digest(client.received)).toBe(digest(DATA.subarray(0, 12_345)));
    expect(effect()).toMatchObject({ connections: round });
  }
  gate.remove('it');
  const { client, server: peer } = await dial();
  peer.socket.end(DATA);
  await until(() => client.ended);
  expect(client.received.length).toBe(DATA.length);
});

test('half-open loses one direction in silence, and healing resets the connection', async () => {
  const { client, server: peer } = await dial();
  client.socket.write('hello');
  await until(() => peer.received.length === 5);
  gate.add(toxic({ kind: 'half-open' }));
  peer.socket.write('lost');
  client.socket.write('still heard');
  await until(() => peer.received.length === 16 && effect()?.droppedBytes === 4);
  expect(client.received.length).toBe(0);
  expect(client.socket.closed).toBe(false);
  gate.remove('it');
  await Promise.all([client.closed, peer.closed]);
  expect([client.error, peer.error]).toEqual(['ECONNRESET', 'ECONNRESET']);
});

test('a healed half-open leaves alone what lost nothing', async () => {
  const { client, server: peer } = await dial();
  gate.add(toxic({ kind: 'half-open' }));
  gate.remove('it');
  peer.socket.end('here');
  await until(() => client.ended);
  expect(client.received.toString()).toBe('here');
});

test('an end that a half-open has hidden is told when it is healed, although no byte was lost', async () => {
  const { client, server: peer } = await dial();
  gate.add(toxic({ kind: 'half-open' }));
  peer.socket.destroy();
  await peer.closed;
  // What came to the gate later has passed: it knows of the end.
  const { client: other, server: otherPeer } = await dial();
  other.socket.write('passes');
  await until(() => otherPeer.received.length === 6);
  expect(client.socket.closed).toBe(false);
  gate.remove('it');
  await client.closed;
  expect(gate.status().counters.live).toBe(1);
});

test('blackhole: nobody answers, not even the end arrives; healed, all of it is reset', async () => {
  const { client: old, server: peer } = await dial();
  gate.add(toxic({ kind: 'blackhole' }, ['upstream', 'downstream']));
  old.socket.end('last words');
  const late = new Peer(connect(port, '127.0.0.1'));
  late.socket.write('anybody?');
  await until(() => effect()?.droppedBytes === 18);
  expect(accepted).toHaveLength(1);
  expect([peer.ended, peer.received.length, late.received.length]).toEqual([false, 0, 0]);
  gate.remove('it');
  await Promise.all([peer.closed, late.closed]);
});

test('reset-peer resets what is there and what comes', async () => {
  const { client } = await dial();
  gate.add(toxic({ kind: 'reset-peer', timeoutMs: 0 }));
  await client.closed;
  const second = new Peer(connect(port, '127.0.0.1'));
  await second.closed;
  expect(effect()?.ended).toBe(2);
});

test('timeout lets nothing pass, then closes', async () => {
  // Apart from each other: whether the bytes or the end of the time come first is the machine's to decide.
  gate.add(toxic({ kind: 'timeout', timeoutMs: 60_000 }));
  const { client, server: peer } = await dial();
  peer.socket.write('unheard');
  await until(() => effect()?.droppedBytes === 7);
  expect(client.received.length).toBe(0);
  gate.remove('it');
  gate.add(toxic({ kind: 'timeout', timeoutMs: 0 }));
  const second = new Peer(connect(port, '127.0.0.1'));
  await second.closed;
  expect(effect()).toMatchObject({ ended: 1 });
});

test('slow-close brings the end late, after everything', async () => {
  const { client, server: peer } = await dial();
  gate.add(toxic({ kind: 'slow-close', delayMs: 40 }));
  const began = performance.now();
  peer.socket.end('bye');
  await until(() => client.ended);
  expect(client.received.toString()).toBe('bye');
  expect(performance.now() - began).toBeGreaterThanOrEqual(39);
  expect(effect()?.ended).toBe(1);
});

test('corrupt inverts one bit at its place, on as many connections as it says', async () => {
  gate.add(toxic({ kind: 'corrupt', afterBytes: 1000, times: 1 }));
  const wrong: number[] = [];
  for (let round = 0; round < 2; round++) {
    const { client, server: peer } = await dial();
    peer.socket.end(DATA);
    await until(() => client.ended);
    wrong.push(...[...client.received].flatMap((byte, at) => (byte === DATA[at] ? [] : [at])));
  }
  expect(wrong).toEqual([1000]);
});

test('lose-bytes leaves a hole of that size at that place', async () => {
  gate.add(toxic({ kind: 'lose-bytes', afterBytes: 70_000, bytes: 100_000 }));
  const { client, server: peer } = await dial();
  peer.socket.end(DATA);
  await until(() => client.ended);
  const expected = Buffer.concat([DATA.subarray(0, 70_000), DATA.subarray(170_000)]);
  expect(digest(client.received)).toBe(digest(expected));
  expect(effect()?.droppedBytes).toBe(100_000);
});

describe('a watch', () => {
  test('holds the first connection that gets there, at exactly that byte, until it is released', async () => {
    const reached: string[] = [];
    onReached = (watch) => reached.push(watch);
    gate.watch({ name: 'w', gate: 'g', stream: 'downstream', bytes: 12_345 });
    const { client, server: peer } = await dial();
    peer.socket.end(DATA);
    await until(() => reached.length === 1 && client.received.length === 12_345);
    // Others pass meanwhile.
    const other = await dial();
    other.server.socket.end(DATA);
    await until(() => other.client.ended);
    expect(client.received.length).toBe(12_345);
    gate.release('w');
    await until(() => client.ended);
    expect(digest(client.received)).toBe(digest(DATA));
    expect(reached).toEqual(['w']);
  });

  test('and a toxic that was put there meanwhile works from that byte on', async () => {
    onReached = () => {
      gate.add(toxic({ kind: 'limit-data', bytes: 5 }));
      gate.release('w');
    };
    gate.watch({ name: 'w', gate: 'g', stream: 'downstream', bytes: 100 });
    const { client, server: peer } = await dial();
    peer.socket.write(DATA);
    await until(() => client.ended);
    expect(digest(client.received)).toBe(digest(DATA.subarray(0, 105)));
    expect(effect()?.droppedBytes).toBeGreaterThan(0);
  });

  test('that is taken back holds nobody', async () => {
    gate.watch({ name: 'w', gate: 'g', stream: 'upstream', bytes: 1 });
    gate.release('w');
    const { client, server: peer } = await dial();
    client.socket.end(DATA);
    await until(() => peer.ended);
    expect(peer.received.length).toBe(DATA.length);
  });
});
