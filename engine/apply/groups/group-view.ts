/** One group of a Codis cluster, asked which of some keys it has, and what they are, at a known place of its stream. */
import type { Connection } from '../../connect/connection.ts';
import { openWhere } from '../../connect/discover.ts';
import type { Whereabouts } from '../../connect/discovery.ts';
import { SyncError } from '../../errors.ts';
import { parseInfo, textOf } from '../../resp/reply-text.ts';
import { momentOf, readAt, type KeyState, type StreamMoment } from '../cluster/key-repair.ts';

const TIMEOUT_MS = 10_000;

export class GroupView {
  /** The link that brings its data to the target. */
  readonly link: string;
  readonly #source: () => Whereabouts;
  #connection: Connection | undefined;

  constructor(link: string, source: () => Whereabouts) {
    this.link = link;
    this.#source = source;
  }

  /** Which of the keys it has, and at which place of its stream that is so. @throws SyncError. */
  async look(
    database: number,
    keys: readonly Buffer[],
    signal: AbortSignal,
  ): Promise<StreamMoment & { has: boolean[] }> {
    const connection = await this.#open(database, signal);
    const asked = keys.map((key) => ['EXISTS', key]);
    const replies = await connection.pipeline([['MULTI'], ...asked, ['INFO', 'replication'], ['EXEC']]);
    const results = replies.at(-1) ?? null;
    if (!Array.isArray(results)) throw new SyncError('CONNECT', textOf(results), { retryable: true });
    const moment = await momentOf(connection, parseInfo(results.at(-1) ?? null));
    return { ...moment, has: keys.map((_, index) => results[index] === 1) };
  }

  /** What the keys are. @throws SyncError. */
  async read(
    database: number,
    keys: readonly Buffer[],
    signal: AbortSignal,
  ): Promise<StreamMoment & { states: KeyState[] }> {
    return readAt(await this.#open(database, signal), keys);
  }

  async close(): Promise<void> {
    await this.#connection?.close();
    this.#connection = undefined;
  }

  async #open(database: number, signal: AbortSignal): Promise<Connection> {
    if (this.#connection?.closed !== false)
      this.#connection = await openWhere(this.#source(), {
        name: 'redis-sync:groups',
        replyTimeoutMs: TIMEOUT_MS,
        signal,
      });
    await this.#connection.call('SELECT', database);
    return this.#connection;
  }
}
