/**
 * A server of a real Codis group, played: Redis 3.2 with Codis's commands. It has PSYNC 1 (a history per run, +CONTINUE without a
 * name, full sync after every restart), knows no capability but `eof`, has no INFO master_replid, no ACL, MEMORY, MODULE,
 * CLIENT ID, UNLINK, and sends scripts as text and durations as durations.
 *
 * Sources of the facts: replication.c, server.c, networking.c and debug.c of Redis 3.2.11, slots.c and slots_async.c of Codis.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import { CommandFramer } from '../../engine/resp/command-framer.ts';
import { encodeCommands, type Argument } from '../../engine/resp/encode.ts';

/** Offset of a source that has just got its first replica. */
const FIRST_OFFSET = 1;
const COMMANDS = new Set(
  `psync sync replconf ping select auth client command info time role config set setex get del eval evalsha expire
  multi exec discard scan dump restore type strlen llen hlen scard zcard randomkey dbsize exists slotsinfo slotsrestore slotsrestore-async`.split(
    /\s+/,
  ),
);
const CONFIG: Readonly<Record<string, string>> = {
  'repl-timeout': '600',
  'repl-backlog-size': '1048576',
  'client-output-buffer-limit': 'normal 0 0 0 slave 0 0 0 pubsub 33554432 8388608 60',
  maxmemory: '0',
  'maxmemory-policy': 'noeviction',
  databases: '16',
};

/** What it answers when it is asked for one of its keys. */
export interface CodisKey {
  name: string;
  type: string;
  payload: Buffer;
}

export class CodisGroup implements AsyncDisposable {
  readonly endpoint: Endpoint;
  /** The words of every PSYNC, and of every REPLCONF that was no acknowledgement. */
  readonly handshakes: string[] = [];
  /** Names of commands that it did not know. */
  readonly unknown = new Set<string>();
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #replicas = new Set<Socket>();
  readonly #queueing = new WeakSet<Socket>();
  #image: Buffer;
  #keys: readonly CodisKey[];
  #runId: string;
  #stream = Buffer.alloc(0);

  private constructor(server: Server, port: number, image: Buffer, keys: readonly CodisKey[]) {
    this.#server = server;
    this.endpoint = { host: '127.0.0.1', port };
    this.#image = image;
    this.#keys = keys;
    this.#runId = 'a1'.repeat(20);
    server.on('connection', (socket) => this.#accept(socket));
  }

  /** @param image its snapshot. @param keys some of what is in it. */
  static async start(image: Buffer, keys: readonly CodisKey[] = []): Promise<CodisGroup> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return new CodisGroup(server, address.port, image, keys);
  }

  get runId(): string {
    return this.#runId;
  }

  get offset(): bigint {
    return BigInt(FIRST_OFFSET + this.#stream.length);
  }

  /** To whoever replicates; what they miss is in the backlog. @returns the offset behind it. */
  write(...commands: (readonly Argument[])[]): bigint {
    const bytes = encodeCommands(commands);
    this.#stream = Buffer.concat([this.#stream, bytes]);
    for (const socket of this.#replicas) socket.write(bytes);
    return this.offset;
  }

  /** Cuts every replica off. */
  cut(): void {
    for (const socket of this.#replicas) socket.resetAndDestroy();
  }

  /** It comes back as another run: nobody can continue. */
  restart(image: Buffer): void {
    this.#runId = 'b2'.repeat(20);
    this.#stream = Buffer.alloc(0);
    this.#image = image;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#replicas.delete(socket);
    });
    const framer = new CommandFramer(({ buffer, argc, argStart, argEnd }) => {
      const words = Array.from({ length: argc }, (_, at) => buffer.subarray(argStart[at], argEnd[at]));
      const text = words.map((word) => word.toString('latin1'));
      const reply = this.#answer(socket, text, words);
      if (reply !== undefined) socket.write(reply);
    });
    socket.on('data', (chunk: Buffer) => framer.push(chunk));
  }

  /** A transaction is queued, and thrown away: nobody here executes one. */
  #queue(socket: Socket, name: string): string | undefined {
    if (name === 'multi') {
      this.#queueing.add(socket);
      return '+OK\r\n';
    }
    if (!this.#queueing.has(socket)) return undefined;
    if (name !== 'discard') return COMMANDS.has(name) ? '+QUEUED\r\n' : this.#refuse(name);
    this.#queueing.delete(socket);
    return '+OK\r\n';
  }

  /** Undefined: there is none, or it was written already. */
  #answer(socket: Socket, words: string[], raw: Buffer[]): string | Buffer | undefined {
    const [name = '', first = '', second = ''] = words;
    const queued = this.#queue(socket, name.toLowerCase());
    if (queued !== undefined) return queued;
    switch (name.toLowerCase()) {
      case 'ping':
        return '+PONG\r\n';
      case 'select':
        return '+OK\r\n';
      case 'auth':
        return '-ERR Client sent AUTH, but no password is set\r\n';
      case 'client':
        return first.toLowerCase() === 'setname'
          ? '+OK\r\n'
          : '-ERR Syntax error, try CLIENT (LIST | KILL ip:port | GETNAME | SETNAME connection-name)\r\n';
      case 'replconf':
        return this.#replconf(words);
      case 'psync':
        return this.#psync(socket, first, Number(second));
      case 'info':
        return bulk(this.#info(first));
      case 'time':
        return array([String(Math.floor(Date.now() / 1000)), String((Date.now() % 1000) * 1000)]);
      case 'role':
        return `*3\r\n${bulk('master')}:${this.offset}\r\n*0\r\n`;
      case 'config':
        return array(second in CONFIG ? [second, CONFIG[second] ?? ''] : []);
      case 'command':
        return this.#commandInfo(words.slice(2));
      case 'set':
      case 'setex':
      case 'del':
        this.write(raw);
        return '+OK\r\n';
      default:
        return this.#answerAboutKeys(name.toLowerCase(), first) ?? this.#refuse(name);
    }
  }

  /** Options by pairs; the first one that it does not know ends it. */
  #replconf(words: readonly string[]): string | undefined {
    if (words[1] === 'ACK') return undefined;
    this.handshakes.push(words.join(' '));
    for (let at = 1; at < words.length; at += 2) {
      const option = words[at]?.toLowerCase() ?? '';
      if (!['listening-port', 'capa', 'getack'].includes(option))
        return `-ERR Unrecognized REPLCONF option: ${words[at]}\r\n`;
    }
    return '+OK\r\n';
  }

  #psync(socket: Socket, runId: string, from: number): undefined {
    this.handshakes.push(`PSYNC ${runId} ${from}`);
    const skipped = from - FIRST_OFFSET - 1;
    this.#replicas.add(socket);
    if (runId === this.#runId && skipped >= 0 && skipped <= this.#stream.length) {
      socket.write('+CONTINUE\r\n');
      socket.write(this.#stream.subarray(skipped));
      return undefined;
    }
    socket.write(`+FULLRESYNC ${this.#runId} ${this.offset}\r\n`);
    // It forks and writes a file first; newlines say that it is alive.
    socket.write('\n\n');
    socket.write(`$${this.#image.length}\r\n`);
    socket.write(this.#image);
    return undefined;
  }

  #info(section: string): string {
    const server = ['redis_version:3.2.11', 'redis_mode:standalone', 'arch_bits:64', `run_id:${this.#runId}`];
    const replication = [
      'role:master',
      `connected_slaves:${this.#replicas.size}`,
      `master_repl_offset:${this.offset}`,
      'repl_backlog_active:1',
      'repl_backlog_size:1048576',
      `repl_backlog_first_byte_offset:${FIRST_OFFSET + 1}`,
      `repl_backlog_histlen:${this.#stream.length}`,
    ];
    const memory = ['used_memory:1000000', 'maxmemory:0', 'maxmemory_policy:noeviction'];
    const stats = ['total_net_input_bytes:1000', 'instantaneous_input_kbps:0.00'];
    const keyspace = [`db0:keys=${Math.max(1, this.#keys.length)},expires=0,avg_ttl=0`];
    const sections: Record<string, string[]> = { server, replication, memory, stats, keyspace };
    const lines = section === '' ? Object.values(sections).flat() : (sections[section.toLowerCase()] ?? []);
    return `# ${section}\r\n${lines.join('\r\n')}\r\n`;
  }

  #commandInfo(names: readonly string[]): string {
    const rows = names.map((name) =>
      COMMANDS.has(name.toLowerCase()) ? `*6\r\n${bulk(name)}:-1\r\n*0\r\n:1\r\n:1\r\n:1\r\n` : '*-1\r\n',
    );
    return `*${rows.length}\r\n${rows.join('')}`;
  }

  #answerAboutKeys(command: string, name: string): string | Buffer | undefined {
    const key = this.#keys.find((each) => each.name === name);
    switch (command) {
      case 'dbsize':
        return `:${this.#keys.length}\r\n`;
      case 'scan':
        return `*2\r\n${bulk('0')}${array(this.#keys.map((each) => each.name))}`;
      case 'randomkey':
        return this.#keys[0] === undefined ? '$-1\r\n' : bulk(this.#keys[0].name);
      case 'exists':
        return key === undefined ? ':0\r\n' : ':1\r\n';
      case 'type':
        return `+${key?.type ?? 'none'}\r\n`;
      case 'dump':
        return key === undefined
          ? '$-1\r\n'
          : Buffer.concat([Buffer.from(`$${key.payload.length}\r\n`), key.payload, Buffer.from('\r\n')]);
      case 'strlen':
      case 'llen':
      case 'hlen':
      case 'scard':
      case 'zcard':
        return key === undefined ? ':0\r\n' : ':3\r\n';
      default:
        return undefined;
    }
  }

  #refuse(name: string): string {
    this.unknown.add(name.toUpperCase());
    return `-ERR unknown command '${name}'\r\n`;
  }
}

function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}

function array(texts: readonly string[]): string {
  return `*${texts.length}\r\n${texts.map(bulk).join('')}`;
}
