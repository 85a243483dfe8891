/**
 * Sends batches of commands through one connection with a few in flight, so that client and server work at the same
 * time, and fails on the first error reply: a dataset is complete or it is not there.
 */
import type { Connection } from '../../engine/connect/connection.ts';
import { wordReplyError } from '../../engine/connect/reply-errors.ts';
import { SyncError } from '../../engine/errors.ts';
import { ReplyError, type Reply } from '../../engine/resp/reply.ts';
import type { CommandWriter } from './command-writer.ts';

/** A batch leaves when it is this large. Larger ones gain nothing; smaller ones cost a system call each. */
const BATCH_BYTES = 1 << 17;
const IN_FLIGHT_MAX = 4;

export class BulkSender {
  readonly #connection: Connection;
  readonly #out: CommandWriter;
  readonly #signal: AbortSignal | undefined;
  readonly #inFlight: Promise<void>[] = [];
  #bytes = 0;
  #failure: Error | undefined;

  constructor(connection: Connection, out: CommandWriter, signal?: AbortSignal) {
    this.#connection = connection;
    this.#out = out;
    this.#signal = signal;
  }

  /** Bytes of all commands sent. */
  get bytes(): number {
    return this.#bytes;
  }

  get batchIsFull(): boolean {
    return this.#out.size >= BATCH_BYTES;
  }

  /**
   * Sends what the writer holds; returns when there is room for another batch.
   *
   * @throws SyncError ABORTED, CONNECT, or what the server answered (`wordReplyError`).
   */
  async flush(): Promise<void> {
    if (this.#signal?.aborted)
      throw new SyncError('ABORTED', 'Seeding was interrupted.', { cause: this.#signal.reason });
    if (this.#out.commands > 0) {
      const { bytes, commands } = this.#out.take();
      this.#bytes += bytes.length;
      this.#inFlight.push(this.#send(bytes, commands));
    }
    if (this.#inFlight.length >= IN_FLIGHT_MAX) await this.#inFlight.shift();
    this.#throwFailure();
  }

  /** Sends the rest and waits for every reply. */
  async finish(): Promise<void> {
    await this.flush();
    await Promise.all(this.#inFlight.splice(0));
    this.#throwFailure();
  }

  /** Never rejects, so that a batch nobody waits for yet cannot become an unhandled rejection. */
  async #send(bytes: Buffer, commands: number): Promise<void> {
    try {
      const replies = await this.#connection.pipelineRaw(bytes, commands);
      const refused = replies.findIndex((reply: Reply) => reply instanceof ReplyError);
      const reply = replies[refused];
      if (reply instanceof ReplyError) {
        this.#failure ??= wordReplyError(reply, this.#connection.endpoint, commandName(bytes, refused));
      }
      this.#out.recycle(bytes);
    } catch (error) {
      this.#failure ??= error instanceof Error ? error : new Error(String(error));
    }
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure;
  }
}

/** The name of the `index`th command of an encoded batch. */
function commandName(bytes: Buffer, index: number): string {
  let at = 0;
  const line = (): number => {
    const end = bytes.indexOf('\r\n', at);
    const value = Number(bytes.toString('latin1', at + 1, end));
    at = end + 2;
    return value;
  };
  for (let command = 0; ; command++) {
    const words = line();
    for (let word = 0; word < words; word++) {
      const length = line();
      if (command === index) return bytes.toString('latin1', at, at + length);
      at += length + 2;
    }
  }
}
