/** Writes one batch of commands after the other to the source, at a steady pace, on a connection of its own. */
import { Connection, type Argument } from '../../engine/connect/connection.ts';
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import { asError } from '../../engine/errors.ts';
import { textOf } from '../../engine/resp/reply-text.ts';
import { ReplyError } from '../../engine/resp/reply.ts';

export interface SteadyWriterOptions {
  name: string;
  everyMs: number;
  /** The commands of the n-th batch. */
  batch: (number: number) => readonly (readonly Argument[])[];
}

export class SteadyWriter {
  readonly #connection: Connection;
  readonly #options: SteadyWriterOptions;
  readonly #timer: NodeJS.Timeout;
  #written = 0;
  #failure: Error | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor(connection: Connection, options: SteadyWriterOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#timer = setInterval(() => {
      this.#writing = this.#writing.then(() => this.#write());
    }, options.everyMs);
  }

  static async start(source: Endpoint, options: SteadyWriterOptions): Promise<SteadyWriter> {
    return new SteadyWriter(await Connection.open(source, { name: options.name }), options);
  }

  /** @returns how many batches were written. @throws what the source answered or did when it did not take one. */
  async stop(): Promise<number> {
    clearInterval(this.#timer);
    await this.#writing;
    await this.#connection.close();
    if (this.#failure) throw this.#failure;
    return this.#written;
  }

  async #write(): Promise<void> {
    if (this.#failure) return;
    try {
      const replies = await this.#connection.pipeline(this.#options.batch(this.#written));
      const refused = replies.find((reply) => reply instanceof ReplyError);
      if (refused !== undefined) throw new Error(`${this.#options.name}: ${textOf(refused)}`);
      this.#written++;
    } catch (error) {
      this.#failure = asError(error);
    }
  }
}
