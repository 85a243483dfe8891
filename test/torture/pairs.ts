/**
 * Transactions whose halves must never be seen apart: two counters in two databases and a list, changed together. Whoever
 * reads them in one transaction finds them equal, on the source and on a target that keeps transactions whole.
 */
import { Connection } from '../../engine/connect/connection.ts';
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import { asError } from '../../engine/errors.ts';
import { textOf } from '../../engine/resp/reply-text.ts';
import type { Reply } from '../../engine/resp/reply.ts';

const FIRST = 'pair:first';
const SECOND = 'pair:second';
const LIST = 'pair:list';
const OTHER_DATABASE = 12;
const INTERVAL_MS = 20;

/** To be run inside a MULTI on database 0, where it leaves the connection; `readPair` reads what EXEC answers to these. */
export const PAIR_QUERY: readonly (readonly (string | number)[])[] = [
  ['GET', FIRST],
  ['SELECT', OTHER_DATABASE],
  ['GET', SECOND],
  ['LLEN', LIST],
  ['SELECT', 0],
];

/** Undefined when the halves fit, else what does not. */
export function readPair(replies: readonly Reply[]): string | undefined {
  const [first, , second, length] = replies;
  const numbers = [Number(first ?? 0), Number(second ?? 0), Number(length ?? 0)];
  return new Set(numbers).size === 1 ? undefined : `${FIRST} ${SECOND} ${LIST}: ${numbers.join(', ')}`;
}

/** Writes pairs to the source until stopped. */
export class PairWriter {
  readonly #connection: Connection;
  #written = 0;
  #failure: Error | undefined;
  readonly #timer: NodeJS.Timeout;
  #writing: Promise<void> = Promise.resolve();

  private constructor(connection: Connection) {
    this.#connection = connection;
    this.#timer = setInterval(() => {
      this.#writing = this.#writing.then(() => this.#write());
    }, INTERVAL_MS);
  }

  static async start(source: Endpoint): Promise<PairWriter> {
    return new PairWriter(await Connection.open(source, { name: 'torture-pairs' }));
  }

  /** @returns how many were written. @throws what the source answered or did when it did not take one. */
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
      const replies = await this.#connection.pipeline([
        ['MULTI'],
        ['INCR', FIRST],
        ['SELECT', OTHER_DATABASE],
        ['INCR', SECOND],
        ['RPUSH', LIST, this.#written],
        ['SELECT', 0],
        ['EXEC'],
      ]);
      if (!Array.isArray(replies.at(-1))) throw new Error(`EXEC answered ${textOf(replies.at(-1))}`);
      this.#written++;
    } catch (error) {
      this.#failure = asError(error);
    }
  }
}
