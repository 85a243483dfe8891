/** Looks at one server again and again over a connection of its own; a lost one is opened anew at the next look. */
import { Connection, type Argument } from '../../../engine/connect/connection.ts';
import { discoveryOf } from '../../../engine/connect/discover.ts';
import type { Whereabouts } from '../../../engine/connect/discovery.ts';
import type { Endpoint } from '../../../engine/connect/endpoint.ts';
import { parseInfo, textOf } from '../../../engine/resp/reply-text.ts';
import type { Reply } from '../../../engine/resp/reply.ts';

/** A stopped server answers nothing: whoever looks must notice soon. */
const CONNECT_TIMEOUT_MS = 2000;
const REPLY_TIMEOUT_MS = 3000;

export interface DatabaseKeys {
  database: number;
  keys: number;
  expires: number;
}

export class ServerView implements AsyncDisposable {
  readonly #whereabouts: () => Whereabouts;
  #connection: Connection | undefined;

  constructor(whereabouts: () => Whereabouts) {
    this.#whereabouts = whereabouts;
  }

  /** Where it is now. @throws SyncError CONNECT, AUTH, PERMISSION. */
  locate(): Promise<Endpoint> {
    return discoveryOf(this.#whereabouts()).locate();
  }

  /** Fields of these sections of INFO. @throws SyncError CONNECT, AUTH, PERMISSION. */
  async info(...sections: string[]): Promise<Record<string, string>> {
    const connection = await this.#open();
    // Several sections in one INFO are understood since 7.0 only.
    const replies = await Promise.all(sections.map((section) => connection.call('INFO', section)));
    return Object.assign({}, ...replies.map(parseInfo));
  }

  /** @throws SyncError as Connection.call. */
  async call(...args: Argument[]): Promise<Reply> {
    return (await this.#open()).call(...args);
  }

  /** A setting; undefined when it does not exist or may not be read. */
  async setting(name: string): Promise<string | undefined> {
    const reply = await (await this.#open()).tryCall('CONFIG', 'GET', name);
    return Array.isArray(reply) && reply.length >= 2 ? textOf(reply[1]) : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection?.[Symbol.asyncDispose]();
    this.#connection = undefined;
  }

  async #open(): Promise<Connection> {
    if (this.#connection?.closed === false) return this.#connection;
    this.#connection = await Connection.open(await this.locate(), {
      name: 'redis-sync-driver',
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      replyTimeoutMs: REPLY_TIMEOUT_MS,
    });
    return this.#connection;
  }
}

/** `db0:keys=12,expires=3,…` of INFO keyspace, by database. */
export function keysOf(info: Readonly<Record<string, string>>): DatabaseKeys[] {
  return Object.entries(info).flatMap(([name, value]) => {
    const [, database] = /^db(\d+)$/.exec(name) ?? [];
    const [, keys, expires] = /^keys=(\d+),expires=(\d+)/.exec(value) ?? [];
    if (database === undefined) return [];
    return [{ database: Number(database), keys: Number(keys), expires: Number(expires) }];
  });
}

export function totalKeys(info: Readonly<Record<string, string>>): number {
  return keysOf(info).reduce((total, { keys }) => total + keys, 0);
}
