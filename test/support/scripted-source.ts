/**
 * A fake source for the corners of the replication protocol that a real server does not show on demand: a TCP server
 * whose connections are played by scripts, one after the other. A script says what it expects and what it answers, at
 * which byte it cuts, and when it goes silent.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import { CommandFramer } from '../../engine/resp/command-framer.ts';

/** Plays one connection. The connection stays open until the script, the other side or `stop` ends it. */
export type Script = (peer: ScriptedPeer) => Promise<void>;

/** One connection as a script sees it. */
export class ScriptedPeer {
  readonly #socket: Socket;
  readonly #commands: string[][] = [];
  readonly #closed: Promise<void>;
  #isClosed = false;
  #wake: (() => void) | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    const framer = new CommandFramer(({ buffer, argc, argStart, argEnd }) => {
      this.#commands.push(
        Array.from({ length: argc }, (_, index) => buffer.toString('utf8', argStart[index], argEnd[index])),
      );
    });
    socket.on('data', (chunk: Buffer) => {
      framer.push(chunk);
      this.#wake?.();
    });
    socket.on('error', () => undefined);
    this.#closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#isClosed = true;
        this.#wake?.();
        resolve();
      });
    });
  }

  /** Commands that came and were not taken yet. */
  get waiting(): readonly string[][] {
    return this.#commands;
  }

  /** The next command. @throws Error when the connection ends first. */
  async next(): Promise<string[]> {
    for (;;) {
      const command = this.#commands.shift();
      if (command !== undefined) return command;
      if (this.#isClosed) throw new Error('the connection ended where a command was expected');
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /**
   * The next command must be this one, and must have come alone: whoever sends the next before the answer is refused
   * by a real source.
   */
  async expect(...words: string[]): Promise<void> {
    const command = await this.next();
    if (command.join(' ') !== words.join(' '))
      throw new Error(`expected ${words.join(' ')}, got ${command.join(' ')}`);
    // Whatever was sent together has arrived after a few turns of the event loop.
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    if (this.#commands.length > 0)
      throw new Error(`${this.#commands[0]?.join(' ')} came before the answer to ${words.join(' ')}`);
  }

  /** Sends bytes; resolves when the kernel has them. */
  async send(bytes: Buffer | string): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.write(bytes, () => resolve()));
  }

  /** The usual opening of a replica, up to its PSYNC with these two words. */
  async shakeHands(replid: string, offset: string): Promise<void> {
    await this.expect('REPLCONF', 'capa', 'eof', 'capa', 'psync2', 'version', '9.0.0');
    await this.send('+OK\r\n');
    await this.expect('PSYNC', replid, offset);
  }

  /** Cuts the connection with a reset. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** Ends it in order: everything sent arrives. */
  async end(): Promise<void> {
    this.#socket.end();
    await this.#closed;
  }

  /** Resolves when the other side has ended the connection. */
  closed(): Promise<void> {
    return this.#closed;
  }
}

export interface ScriptedSource extends AsyncDisposable {
  readonly endpoint: Endpoint;
  /** Connections accepted so far. */
  readonly connections: number;
  /** Resolves when every script has been played to its end; rejects with the first failure of one. */
  readonly played: Promise<void>;
  stop(): Promise<void>;
}

/** Starts a source that plays the scripts in order, one per connection; further connections are reset. */
export async function startScriptedSource(...scripts: Script[]): Promise<ScriptedSource> {
  const sockets = new Set<Socket>();
  const played = scripts.map(() => new Outcome());
  let connections = 0;
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    const peer = new ScriptedPeer(socket);
    const index = connections++;
    const script = scripts[index];
    if (script === undefined) return peer.reset();
    played[index]?.follow(script(peer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return {
    endpoint: { host: '127.0.0.1', port: address.port },
    get connections() {
      return connections;
    },
    get played() {
      return Promise.all(played.map(({ promise }) => promise)).then(() => undefined);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** How one script ended; nobody has to look. */
class Outcome {
  readonly promise: Promise<void>;
  #settle: (script: Promise<void>) => void = () => undefined;

  constructor() {
    this.promise = new Promise<void>((resolve) => (this.#settle = resolve));
    this.promise.catch(() => undefined);
  }

  follow(script: Promise<void>): void {
    this.#settle(script);
  }
}
