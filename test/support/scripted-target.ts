/**
 * A fake target for replies that a real server does not give on demand. It knows enough of a server to be claimed and
 * written to (CLIENT, INCR, WATCH, UNWATCH, HMGET, MULTI and EXEC, everything else answered with 1), keeps the checkpoint
 * that transactions write, and lets a test answer any EXEC in its own way.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import { CommandFramer } from '../../engine/resp/command-framer.ts';

/** One transaction as it came: its queued commands, without MULTI and EXEC. */
export type Transaction = string[][];

/** What to do with an EXEC. */
export type ExecAnswer =
  | { kind: 'apply' }
  /** Executed, but these elements (by position) answer an error. */
  | { kind: 'apply'; errors: Record<number, string> }
  /** Not executed; this is the reply line, e.g. `-EXECABORT …` or `*-1`. */
  | { kind: 'refuse'; line: string }
  /** Executed (or not), and the connection is cut instead of a reply. */
  | { kind: 'cut'; applied: boolean }
  /** No answer until the promise resolves, then applied. */
  | { kind: 'hold'; until: Promise<void> };

export class ScriptedTarget implements AsyncDisposable {
  /** Transactions executed, in order. */
  readonly applied: Transaction[] = [];
  /** Every command that came, in order, of all connections. */
  readonly received: string[][] = [];
  /** Fields of the checkpoint. */
  readonly checkpoint = new Map<string, string>();
  /** Decides about each EXEC; `attempt` counts them from 1. */
  onExec: (transaction: Transaction, attempt: number) => ExecAnswer = () => ({ kind: 'apply' });
  /** Error to answer to a queued command instead of QUEUED. */
  onQueue: (words: string[]) => string | undefined = () => undefined;
  connections = 0;
  #attempts = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #endpoint: Endpoint = { host: '127.0.0.1', port: 0 };

  private constructor() {
    this.#server = createServer((socket) => this.#accept(socket));
  }

  static async start(): Promise<ScriptedTarget> {
    const target = new ScriptedTarget();
    await new Promise<void>((resolve) => target.#server.listen(0, '127.0.0.1', resolve));
    const address = target.#server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    target.#endpoint = { host: '127.0.0.1', port: address.port };
    return target;
  }

  get endpoint(): Endpoint {
    return this.#endpoint;
  }

  /** Commands of applied transactions as lines, without checkpoints and SELECTs. */
  get effects(): string[] {
    return this.applied
      .flat()
      .filter(([name]) => name !== 'HSET' && name !== 'SELECT')
      .map((words) => words.join(' '));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    this.connections++;
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined);
    const state: { queue: Transaction | undefined; refused: boolean } = { queue: undefined, refused: false };
    let answered: Promise<void> = Promise.resolve();
    const framer = new CommandFramer(({ buffer, argc, argStart, argEnd }) => {
      const words = Array.from({ length: argc }, (_, index) =>
        buffer.toString('utf8', argStart[index], argEnd[index]),
      );
      answered = answered.then(() => this.#answer(socket, state, words));
    });
    socket.on('data', (chunk: Buffer) => framer.push(chunk));
  }

  async #answer(
    socket: Socket,
    state: { queue: Transaction | undefined; refused: boolean },
    words: string[],
  ): Promise<void> {
    if (socket.destroyed) return;
    this.received.push(words);
    const [name = ''] = words;
    if (name === 'MULTI') {
      state.queue = [];
      state.refused = false;
      socket.write('+OK\r\n');
    } else if (name === 'EXEC') {
      const transaction = state.queue ?? [];
      state.queue = undefined;
      if (state.refused) socket.write('-EXECABORT Transaction discarded because of previous errors.\r\n');
      else await this.#exec(socket, transaction);
    } else if (state.queue !== undefined) {
      const error = this.onQueue(words);
      if (error !== undefined) state.refused = true;
      state.queue.push(words);
      socket.write(error === undefined ? '+QUEUED\r\n' : `-${error}\r\n`);
    } else socket.write(this.#plainReply(words));
  }

  #plainReply(words: string[]): string {
    if (words[0] === 'HMGET')
      return `*${words.length - 2}\r\n${words
        .slice(2)
        .map((field) => bulk(this.checkpoint.get(field)))
        .join('')}`;
    if (words[0] === 'WATCH' || words[0] === 'UNWATCH' || words[1] === 'SETNAME') return '+OK\r\n';
    return words[1] === 'LIST' ? '$0\r\n\r\n' : ':1\r\n';
  }

  async #exec(socket: Socket, transaction: Transaction): Promise<void> {
    const answer = this.onExec(transaction, ++this.#attempts);
    if (answer.kind === 'hold') await answer.until;
    if (answer.kind === 'refuse') return void socket.write(`${answer.line}\r\n`);
    if (answer.kind !== 'cut' || answer.applied) this.#apply(transaction);
    if (answer.kind === 'cut') return socket.resetAndDestroy() && undefined;
    const errors: Record<number, string> = 'errors' in answer ? answer.errors : {};
    const elements = transaction.map((_, index) =>
      errors[index] === undefined ? ':1\r\n' : `-${errors[index]}\r\n`,
    );
    socket.write(`*${elements.length}\r\n${elements.join('')}`);
  }

  #apply(transaction: Transaction): void {
    this.applied.push(transaction);
    for (const [name, key = '', ...fields] of transaction) {
      if (name === 'DEL' && key.startsWith('redis-sync:link:')) this.checkpoint.clear();
      if (name !== 'HSET' || !key.startsWith('redis-sync:link:')) continue;
      for (let index = 0; index < fields.length; index += 2)
        this.checkpoint.set(fields[index] ?? '', fields[index + 1] ?? '');
    }
  }
}

function bulk(value: string | undefined): string {
  return value === undefined ? '$-1\r\n' : `$${Buffer.byteLength(value)}\r\n${value}\r\n`;
}
