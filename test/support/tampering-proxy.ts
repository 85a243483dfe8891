/**
 * A TCP proxy that does what networks do: it cuts, corrupts and stalls, at a place a test names. Bytes it leaves alone pass
 * unchanged and in order.
 */
import { createServer, connect, type Socket } from 'node:net';
import type { Endpoint } from '../../engine/connect/endpoint.ts';

/** What becomes of a chunk: other bytes in its place, `hold` (nothing passes this connection any more), `cut`. */
export type Fate = Buffer | 'hold' | 'cut';

/** Made once per connection, so that it can remember where in its conversation it is. */
export interface Tampering {
  /** Client to server. */
  request?: (chunk: Buffer) => Fate;
  /** Server to client. */
  reply?: (chunk: Buffer) => Fate;
}

export interface Proxy extends AsyncDisposable {
  readonly endpoint: Endpoint;
  readonly url: string;
  /** Resolves when the first `hold` or `cut` has happened. */
  readonly bitten: Promise<void>;
  /** How often it has held, cut or changed something. */
  readonly bites: () => number;
}

/** Listens on a free loopback port and passes every connection on to `target`. */
export async function startProxy(target: Endpoint, tamper: () => Tampering): Promise<Proxy> {
  const sockets = new Set<Socket>();
  let bites = 0;
  let onBitten: (() => void) | undefined;
  const bitten = new Promise<void>((resolve) => (onBitten = resolve));
  const bite = (): void => {
    bites++;
    onBitten?.();
  };
  const server = createServer((client) => {
    const upstream = connect(target.port, target.host);
    const { request, reply } = tamper();
    const pair: Pair = { client, upstream, held: false };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        end(pair);
      });
    }
    client.on('data', (chunk: Buffer) => pass(pair, chunk, request, upstream, bite));
    upstream.on('data', (chunk: Buffer) => pass(pair, chunk, reply, client, bite));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const endpoint = { host: '127.0.0.1', port: address.port };
  return {
    endpoint,
    url: `redis://${endpoint.host}:${endpoint.port}`,
    bitten,
    bites: () => bites,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

interface Pair {
  client: Socket;
  upstream: Socket;
  held: boolean;
}

function end({ client, upstream }: Pair): void {
  client.destroy();
  upstream.destroy();
}

function pass(
  pair: Pair,
  chunk: Buffer,
  decide: ((chunk: Buffer) => Fate) | undefined,
  to: Socket,
  bite: () => void,
): void {
  if (pair.held) return;
  const fate = decide?.(chunk) ?? chunk;
  if (fate === 'cut') end(pair);
  else if (fate === 'hold') pair.held = true;
  else to.write(fate);
  if (fate !== chunk) bite();
}

/** Stalls the connection that sends a command with this text in it (any case), before the server sees it. */
export function holdAt(text: string): () => Tampering {
  const wanted = text.toLowerCase();
  return () => ({
    request: (chunk) => (chunk.toString('latin1').toLowerCase().includes(wanted) ? 'hold' : chunk),
  });
}

/**
 * Lets `decide` at the snapshot a replica receives through the proxy: it sees every chunk together with the offset in the
 * snapshot of its first byte. Everything before the snapshot (handshake, its header) passes.
 */
export function atSnapshot(decide: (chunk: Buffer, offset: number) => Fate): () => Tampering {
  return () => {
    let asked = false;
    let head = '';
    let offset: number | undefined;
    return {
      request(chunk) {
        asked ||= /\r\nPSYNC\r\n/i.test(chunk.toString('latin1'));
        return chunk;
      },
      reply(chunk) {
        if (!asked) return chunk;
        let begin = 0;
        if (offset === undefined) {
          const before = head.length;
          head += chunk.toString('latin1');
          // `+FULLRESYNC <replid> <offset>`, newlines as keep-alive, then `$<length>` or `$EOF:<40 bytes>`.
          const header = /^\n*\+FULLRESYNC[^\r]*\r\n\n*\$[^\r]*\r\n/.exec(head);
          if (header === null) return chunk;
          begin = header[0].length - before;
          offset = 0;
        }
        const part = chunk.subarray(begin);
        const fate = part.length === 0 ? part : decide(part, offset);
        offset += part.length;
        if (typeof fate === 'string') return fate;
        return fate === part ? chunk : Buffer.concat([chunk.subarray(0, begin), fate]);
      },
    };
  };
}

/** Closes the connection in the middle of a snapshot: `bytes` of it arrive. Only the first `times` snapshots. */
export function cutSnapshot(bytes: number, times = Infinity): () => Tampering {
  let cuts = 0;
  return atSnapshot((chunk, offset) => {
    if (offset + chunk.length <= bytes || cuts >= times) return chunk;
    cuts++;
    return 'cut';
  });
}

/** Inverts one byte of every snapshot. */
export function flipSnapshotByte(at: number): () => Tampering {
  return atSnapshot((chunk, offset) => {
    if (at < offset || at >= offset + chunk.length) return chunk;
    const flipped = Buffer.from(chunk);
    flipped[at - offset] = (flipped[at - offset] ?? 0) ^ 0xff;
    return flipped;
  });
}
