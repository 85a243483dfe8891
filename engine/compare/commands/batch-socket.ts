/**
 * A logged-in connection whose replies come as batches of positions (`ReplyBatch`) instead of objects. For the pass over
 * all keys; everything else uses `Connection`. Batches are answered in order. It never reconnects: a comparison that
 * lost a connection starts over or says so.
 */
import type { Socket } from 'node:net';
import { authCommand } from '../../connect/credentials.ts';
import { dial } from '../../connect/dial.ts';
import { describeEndpoint, type Endpoint } from '../../connect/endpoint.ts';
import { wordReplyError } from '../../connect/reply-errors.ts';
import { asError, SyncError } from '../../errors.ts';
import { encodeCommands, type Argument } from '../../resp/encode.ts';
import { ReplyError } from '../../resp/reply.ts';
import { ITEM, ReplyBatch } from './reply-batch.ts';

export interface BatchSocketOptions {
  connectTimeoutMs: number;
  /** The server is given up when it says nothing for so long while a batch is waiting. */
  idleTimeoutMs: number;
  /** CLIENT SETNAME. */
  name: string;
  signal?: AbortSignal;
}

interface Waiting {
  batch: ReplyBatch;
  resolve: (batch: ReplyBatch) => void;
  reject: (error: Error) => void;
}

export class BatchSocket implements AsyncDisposable {
  readonly endpoint: Endpoint;
  readonly #socket: Socket;
  readonly #waiting: Waiting[] = [];
  readonly #pool: ReplyBatch[] = [];
  readonly #closed: Promise<void>;
  #failure: SyncError | undefined;

  private constructor(endpoint: Endpoint, socket: Socket, options: BatchSocketOptions) {
    this.endpoint = endpoint;
    this.#socket = socket;
    const onAbort = (): void => this.#fail(new SyncError('ABORTED', 'The comparison was aborted.'));
    options.signal?.addEventListener('abort', onAbort, { once: true });
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('error', (error) => this.#fail(this.#lost(error.message, error)));
    socket.setTimeout(options.idleTimeoutMs, () => {
      if (this.#waiting.length > 0) this.#fail(this.#lost(`no reply for ${options.idleTimeoutMs / 1000} s`));
    });
    this.#closed = new Promise((resolve) => {
      socket.once('close', () => {
        options.signal?.removeEventListener('abort', onAbort);
        this.#fail(this.#lost('the server closed the connection'));
        resolve();
      });
    });
  }

  /**
   * Dials, logs in, names the connection, and asks not to touch the keys' idle times (7.2 and up; ignored before).
   * @throws SyncError CONNECT, AUTH, ABORTED.
   */
  static async open(endpoint: Endpoint, options: BatchSocketOptions): Promise<BatchSocket> {
    const socket = await dial(endpoint, {
      timeoutMs: options.connectTimeoutMs,
      ...(options.signal ? { signal: options.signal } : {}),
    });
    const opened = new BatchSocket(endpoint, socket, options);
    try {
      const auth = authCommand(endpoint);
      if (auth !== undefined) {
        const refused = await opened.tryCall(...auth);
        if (refused) throw refused;
      }
      opened.release(
        await opened.send(
          encodeCommands([
            ['CLIENT', 'SETNAME', options.name],
            ['CLIENT', 'NO-TOUCH', 'ON'],
          ]),
          2,
        ),
      );
    } catch (error) {
      await opened.close();
      throw error;
    }
    return opened;
  }

  /**
   * Writes already encoded commands; resolves with their `replies` top-level replies. Give the batch back with
   * `release` when it is no longer looked at.
   */
  send(bytes: Buffer, replies: number): Promise<ReplyBatch> {
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      const batch = this.#pool.pop() ?? new ReplyBatch();
      batch.expect(replies);
      this.#waiting.push({ batch, resolve, reject });
      this.#socket.write(bytes);
    });
  }

  /** One command whose reply does not matter beyond success: the refusal, if it was refused. */
  async tryCall(...args: Argument[]): Promise<SyncError | undefined> {
    const batch = await this.send(encodeCommands([args]), 1);
    const refused = batch.kind[0] === ITEM.ERROR ? this.refused(batch, 0, String(args[0])) : undefined;
    this.release(batch);
    return refused;
  }

  /** The error reply that is item `item`, worded. */
  refused(batch: ReplyBatch, item: number, command: string): SyncError {
    return wordReplyError(new ReplyError(batch.text(item)), this.endpoint, command);
  }

  release(batch: ReplyBatch): void {
    if (this.#pool.length < 8) this.#pool.push(batch);
  }

  async close(): Promise<void> {
    this.#socket.destroy();
    await this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #onData(chunk: Buffer): void {
    try {
      let at = 0;
      while (at < chunk.length) {
        const waiting = this.#waiting[0];
        if (waiting === undefined)
          throw new SyncError('PROTOCOL', 'The server sent a reply that nobody asked for.');
        const used = waiting.batch.push(chunk, at);
        if (used === -1) return;
        at += used;
        this.#waiting.shift();
        waiting.resolve(waiting.batch);
      }
    } catch (error) {
      this.#fail(error instanceof SyncError ? error : this.#lost('unreadable reply', asError(error)));
    }
  }

  #fail(error: SyncError): void {
    if (this.#failure) return;
    this.#failure = error;
    this.#socket.destroy();
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error);
  }

  #lost(why: string, cause?: unknown): SyncError {
    return new SyncError('CONNECT', `The connection was lost while comparing: ${why}.`, {
      where: describeEndpoint(this.endpoint),
      retryable: true,
      cause,
    });
  }
}
