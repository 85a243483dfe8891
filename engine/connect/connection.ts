/**
 * One pipelined RESP2 connection to one server.
 *
 * Commands are answered in order. It never reconnects and never resends: whoever owns it decides what an unknown
 * outcome means (a resent INCR counts twice). When the socket ends, every waiting command is rejected with a
 * retryable CONNECT error.
 */
import type { Socket } from 'node:net';
import { SyncError } from '../errors.ts';
import { encodeCommand, encodeCommands, type Argument } from '../resp/encode.ts';
import { ReplyParser } from '../resp/reply-parser.ts';
import { ReplyError, type Reply } from '../resp/reply.ts';
import { authCommand } from './credentials.ts';
import { dial, tlsErrorHint } from './dial.ts';
import { describeEndpoint, type Endpoint } from './endpoint.ts';
import { wordReplyError } from './reply-errors.ts';

export type { Argument } from '../resp/encode.ts';

export interface ConnectOptions {
  /** CLIENT SETNAME, so that an operator sees who we are. Best effort. */
  name?: string;
  /** Limit for dial + TLS + AUTH. Default 5000. */
  connectTimeoutMs?: number;
  /** Limit for a single reply; the connection is destroyed when it passes. Default 60000; 0 = none. */
  replyTimeoutMs?: number;
  signal?: AbortSignal;
}

interface Waiting {
  replies: Reply[];
  count: number;
  resolve: (replies: Reply[]) => void;
  reject: (error: Error) => void;
}

export class Connection implements AsyncDisposable {
  readonly endpoint: Endpoint;
  readonly #socket: Socket;
  readonly #parser: ReplyParser;
  readonly #waiting: Waiting[] = [];
  readonly #replyTimeoutMs: number;
  #head = 0;
  #failure: SyncError | undefined;
  #closing = false;
  #timer: NodeJS.Timeout | undefined;
  readonly #ended: Promise<void>;

  private constructor(endpoint: Endpoint, socket: Socket, replyTimeoutMs: number) {
    this.endpoint = endpoint;
    this.#socket = socket;
    this.#replyTimeoutMs = replyTimeoutMs;
    this.#parser = new ReplyParser((reply) => this.#onReply(reply));
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('error', (error) => this.#fail(this.#lost(error.message, error)));
    this.#ended = new Promise((resolve) => {
      socket.once('close', () => {
        this.#fail(this.#lost('the server closed the connection'));
        resolve();
      });
    });
  }

  /**
   * Dials, logs in, names the connection.
   *
   * @throws SyncError CONNECT (refused, unreachable, TLS), AUTH (NOAUTH, WRONGPASS), TIMEOUT-like CONNECT errors.
   */
  static async open(endpoint: Endpoint, options: ConnectOptions = {}): Promise<Connection> {
    const { signal, connectTimeoutMs = 5000, replyTimeoutMs = 60_000 } = options;
    const socket = await dial(endpoint, { timeoutMs: connectTimeoutMs, ...(signal ? { signal } : {}) });
    const connection = new Connection(endpoint, socket, replyTimeoutMs);
    const giveUp = (why: string): void => {
      connection.#fail(connection.#lost(why));
      socket.destroy();
    };
    const limit = setTimeout(() => giveUp(`no answer within ${connectTimeoutMs / 1000} s`), connectTimeoutMs);
    const onAbort = (): void => giveUp('aborted');
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      await connection.#logIn(options.name);
    } catch (error) {
      socket.destroy();
      throw error;
    } finally {
      clearTimeout(limit);
      signal?.removeEventListener('abort', onAbort);
    }
    return connection;
  }

  get closed(): boolean {
    return this.#failure !== undefined;
  }

  /** One command. Throws SyncError worded with the server's text on an error reply. */
  async call(...args: Argument[]): Promise<Reply> {
    const reply = await this.tryCall(...args);
    if (reply instanceof ReplyError) throw wordReplyError(reply, this.endpoint, String(args[0]));
    return reply;
  }

  /** One command; an error reply is returned, not thrown. */
  async tryCall(...args: Argument[]): Promise<Reply> {
    const [reply] = await this.pipelineRaw(encodeCommand(args), 1);
    return reply ?? null;
  }

  /** Many commands in one write; the replies in order, errors as ReplyError elements. */
  pipeline(commands: readonly (readonly Argument[])[]): Promise<Reply[]> {
    if (commands.length === 0) return Promise.resolve([]);
    return this.pipelineRaw(encodeCommands(commands), commands.length);
  }

  /** Already encoded commands; resolves with their `count` replies. */
  pipelineRaw(bytes: Buffer, count: number): Promise<Reply[]> {
    if (this.#failure) return Promise.reject(this.#failure);
    // Nothing to wait for; in the queue it would take the reply of the command behind it.
    if (count === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ replies: [], count, resolve, reject });
      this.#socket.write(bytes);
      this.#armTimer();
    });
  }

  /** Ends the connection; commands still waiting are rejected. Idempotent. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#socket.destroy();
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #logIn(name: string | undefined): Promise<void> {
    const auth = authCommand(this.endpoint);
    if (auth !== undefined) await this.call(...auth);
    // Best effort: an account without +client|setname, or a proxy, must not stop us.
    if (name !== undefined) await this.tryCall('CLIENT', 'SETNAME', name);
  }

  #onData(chunk: Buffer): void {
    try {
      this.#parser.push(chunk);
    } catch (error) {
      this.#fail(error instanceof SyncError ? error : this.#lost('unreadable reply', error));
      this.#socket.destroy();
    }
    this.#timer?.refresh();
  }

  #onReply(reply: Reply): void {
    const waiting = this.#waiting[this.#head];
    if (waiting === undefined) {
      // A push or an error nobody asked for, e.g. "-ERR max number of clients reached" before the first command.
      if (reply instanceof ReplyError) this.#fail(wordReplyError(reply, this.endpoint, 'connect'));
      return;
    }
    waiting.replies.push(reply);
    if (waiting.replies.length < waiting.count) return;
    this.#head++;
    if (this.#head > 64 && this.#head * 2 > this.#waiting.length) {
      this.#waiting.splice(0, this.#head);
      this.#head = 0;
    }
    if (this.#head === this.#waiting.length) this.#disarmTimer();
    waiting.resolve(waiting.replies);
  }

  #fail(error: SyncError): void {
    if (this.#failure) return;
    this.#failure = error;
    this.#disarmTimer();
    for (const waiting of this.#waiting.splice(0).slice(this.#head)) waiting.reject(error);
    this.#head = 0;
  }

  #lost(why: string, cause?: unknown): SyncError {
    const message = this.#closing ? 'The connection was closed by us.' : `The connection was lost: ${why}.`;
    const hint = tlsErrorHint(cause);
    return new SyncError('CONNECT', message, {
      where: describeEndpoint(this.endpoint),
      retryable: true,
      cause,
      ...(hint === undefined ? {} : { hint }),
    });
  }

  #armTimer(): void {
    if (this.#timer !== undefined || this.#replyTimeoutMs === 0) return;
    this.#timer = setTimeout(() => {
      this.#fail(
        new SyncError('CONNECT', `No reply for ${this.#replyTimeoutMs / 1000} s.`, {
          where: describeEndpoint(this.endpoint),
          retryable: true,
          hint: 'The server is stopped, blocked by a slow command, or the network drops packets.',
        }),
      );
      this.#socket.destroy();
    }, this.#replyTimeoutMs);
    this.#timer.unref();
  }

  #disarmTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
