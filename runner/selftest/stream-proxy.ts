/**
 * A proxy in front of a source that hands the command stream of every PSYNC, command by command, to a mutation. Everything
 * else (other connections, the handshake, the snapshot) passes as it is.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import { SnapshotFramer } from '../../engine/psync/snapshot-framer.ts';
import { CommandFramer, type CommandFrame } from '../../engine/resp/command-framer.ts';
import { DelayedOutput } from './delayed-output.ts';
import type { StreamMutation } from './misbehaviour.ts';

export interface StreamProxy extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
}

/** Listens on a free loopback port. */
export async function startStreamProxy(
  source: Endpoint,
  mutation: () => StreamMutation,
): Promise<StreamProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(source.port, source.host);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    const replies = new ReplicaReplies(client, mutation);
    client.on('data', (chunk: Buffer) => {
      if (/\r\nPSYNC\r\n/i.test(chunk.toString('latin1'))) replies.expectStream();
      upstream.write(chunk);
    });
    upstream.on('data', (chunk: Buffer) => replies.push(chunk));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: '127.0.0.1',
    port: portOf(server),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** passing ─PSYNC asked─▶ answer ─+FULLRESYNC─▶ snapshot ─end─▶ stream;  answer ─+CONTINUE─▶ stream */
class ReplicaReplies {
  readonly #output: DelayedOutput;
  readonly #mutation: () => StreamMutation;
  readonly #snapshot = new SnapshotFramer({ begin() {}, bytes() {}, end() {} });
  #state: 'passing' | 'answer' | 'snapshot' | 'stream' = 'passing';
  #answer = '';
  #framer: CommandFramer | undefined;

  constructor(client: Socket, mutation: () => StreamMutation) {
    this.#output = new DelayedOutput(client);
    this.#mutation = mutation;
  }

  expectStream(): void {
    if (this.#state === 'passing') this.#state = 'answer';
  }

  push(chunk: Buffer): void {
    let rest = chunk;
    if (this.#state === 'answer') rest = this.#readAnswer(rest);
    if (this.#state === 'snapshot') rest = this.#readSnapshot(rest);
    if (this.#state === 'stream') this.#framer?.push(rest);
    else this.#output.send(rest);
  }

  /** Passes the line on; returns what follows it. */
  #readAnswer(chunk: Buffer): Buffer {
    const before = this.#answer.length;
    this.#answer += chunk.toString('latin1');
    const line = /^\n*([+-][^\r]*)\r\n/.exec(this.#answer);
    if (line === null) return chunk;
    const end = line[0].length - before;
    this.#output.send(chunk.subarray(0, end));
    if (line[1]?.startsWith('+FULLRESYNC') === true) this.#state = 'snapshot';
    else this.#beginStream();
    return chunk.subarray(end);
  }

  #readSnapshot(chunk: Buffer): Buffer {
    const rest = this.#snapshot.push(chunk);
    this.#output.send(chunk.subarray(0, chunk.length - rest.length));
    if (!this.#snapshot.done) return Buffer.alloc(0);
    this.#beginStream();
    return rest;
  }

  #beginStream(): void {
    this.#state = 'stream';
    const mutate = this.#mutation();
    this.#framer = new CommandFramer((frame) => {
      const words = wordsOf(frame);
      const raw = Buffer.from(frame.buffer.subarray(frame.start, frame.end));
      mutate({ name: String(words[0]).toLowerCase(), words, raw }, this.#output);
    });
  }
}

function wordsOf({ buffer, argc, argStart, argEnd }: CommandFrame): Buffer[] {
  return Array.from({ length: argc }, (_, index) =>
    Buffer.from(buffer.subarray(argStart[index], argEnd[index])),
  );
}
