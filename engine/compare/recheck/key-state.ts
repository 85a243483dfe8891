/** Reads single keys again, from all nodes of a side, with everything a verdict needs. */
import type { Argument, Connection } from '../../connect/connection.ts';
import { wordReplyError } from '../../connect/reply-errors.ts';
import { SyncError } from '../../errors.ts';
import { NO_SUCH_DATABASE } from '../commands/scan-keys.ts';
import { ReplyError, type Reply } from '../../resp/reply.ts';
import { openConnection } from '../open-connection.ts';
import type { CompareSettings } from '../options.ts';
import { textOf } from '../../resp/reply-text.ts';
import { rdbTypeName } from '../rdb-types.ts';
import { type Node, readServerTimeMs, type ServerFacts, timeReplyMs } from '../server-facts.ts';

/** What one side says about one key. */
export type KeyState =
  | { kind: 'absent'; nowMs: number }
  | PresentKey
  /** No answer that means yes or no. */
  | { kind: 'unreadable'; reason: string };

export interface PresentKey {
  kind: 'present';
  reader: NodeReader;
  type: string;
  /** Absolute, ms; null = none. Wrong by at most `uncertaintyMs`. */
  expireAtMs: number | null;
  uncertaintyMs: number;
  /** The server's clock when it was read. */
  nowMs: number;
  /** DUMP payload; null = too big for one reply, read it in pages. */
  payload: Buffer | null;
}

/** One node: a connection that remembers which database it has selected. */
export class NodeReader {
  readonly node: string;
  readonly connection: Connection;
  readonly hasFieldExpiry: boolean;
  readonly #absolute: boolean;
  readonly #sizes: boolean;
  readonly #bigBytes: number;
  #database = 0;

  constructor(connection: Connection, facts: ServerFacts, settings: CompareSettings) {
    this.connection = connection;
    this.node = facts.node;
    this.hasFieldExpiry = facts.hasFieldExpiry;
    this.#absolute = facts.hasExpireTime && !settings.relativeExpiry;
    this.#sizes = facts.hasMemoryUsage;
    this.#bigBytes = settings.bigValueBytes;
  }

  /** False when the server has no such database. */
  async select(database: number): Promise<boolean> {
    if (database === this.#database) return true;
    const reply = await this.connection.tryCall('SELECT', database);
    if (reply instanceof ReplyError) {
      if (NO_SUCH_DATABASE.test(reply.message)) return false;
      throw wordReplyError(reply, this.connection.endpoint, 'SELECT');
    }
    this.#database = database;
    return true;
  }

  /** Two round trips: what the keys are and how large, then the bytes of those that are not too large. */
  async read(database: number, keys: readonly Buffer[]): Promise<KeyState[]> {
    if (!(await this.select(database))) {
      const nowMs = await readServerTimeMs(this.connection);
      return keys.map(() => ({ kind: 'absent', nowMs }));
    }
    const size = (key: Buffer): Argument[] => (this.#sizes ? ['MEMORY', 'USAGE', key] : ['EXISTS', key]);
    const heads = await this.connection.pipeline(keys.flatMap((key) => [['TYPE', key], size(key)]));
    const dumped = keys.map((_, index) => this.#fits(heads[2 * index + 1]));
    const reads: Argument[][] = [['TIME']];
    for (const [index, key] of keys.entries()) {
      reads.push([this.#absolute ? 'PEXPIRETIME' : 'PTTL', key]);
      if (dumped[index] === true) reads.push(['DUMP', key]);
    }
    reads.push(['TIME']);
    const replies = await this.connection.pipeline(reads);
    const clock = { before: timeReplyMs(replies[0]), after: timeReplyMs(replies.at(-1)) };
    let at = 1;
    return keys.map((_, index) => {
      const expiry = replies[at++] ?? null;
      const payload = dumped[index] === true ? (replies[at++] ?? null) : undefined;
      return this.#state(heads[2 * index] ?? null, expiry, payload, clock);
    });
  }

  #fits(size: Reply | undefined): boolean {
    return !(this.#sizes && typeof size === 'number' && size > this.#bigBytes);
  }

  #state(
    type: Reply,
    expiry: Reply,
    payload: Reply | undefined,
    clock: { before: number; after: number },
  ): KeyState {
    const nowMs = clock.after;
    for (const reply of [type, expiry, payload]) {
      if (!(reply instanceof ReplyError)) continue;
      // Another node of the cluster has the slot.
      if (reply.kind === 'MOVED') return { kind: 'absent', nowMs };
      return { kind: 'unreadable', reason: `${this.node} answered ${reply.kind}` };
    }
    if (type === 'none' || payload === null || expiry === -2) return { kind: 'absent', nowMs };
    if (typeof expiry !== 'number' || (payload !== undefined && !Buffer.isBuffer(payload))) {
      return { kind: 'unreadable', reason: `${this.node} answered something unexpected` };
    }
    const middle = (clock.before + clock.after) / 2;
    return {
      kind: 'present',
      reader: this,
      type: Buffer.isBuffer(payload) ? payloadType(payload, textOf(type)) : textOf(type),
      expireAtMs: expiry < 0 ? null : this.#absolute ? expiry : Math.round(middle + expiry),
      uncertaintyMs: this.#absolute ? 0 : (clock.after - clock.before) / 2 + 1,
      nowMs,
      payload: payload ?? null,
    };
  }
}

/** The type of the bytes themselves: TYPE was asked earlier. A module's values have a name of their own there. */
function payloadType(payload: Buffer, named: string): string {
  const type = rdbTypeName(payload[0] ?? 255);
  return type === 'module' ? named : type;
}

/** All nodes of a side. A key is where one of them has it. */
export class SideReader implements AsyncDisposable {
  readonly #side: string;
  readonly #nodes: NodeReader[];

  private constructor(side: string, nodes: NodeReader[]) {
    this.#side = side;
    this.#nodes = nodes;
  }

  /** @param side `source` or `target`, for reasons. */
  static async open(side: string, nodes: readonly Node[], settings: CompareSettings): Promise<SideReader> {
    const readers: NodeReader[] = [];
    try {
      for (const node of nodes) {
        const connection = await openConnection(node.endpoint, settings);
        if (node.facts.hasNoTouch) await connection.tryCall('CLIENT', 'NO-TOUCH', 'ON');
        readers.push(new NodeReader(connection, node.facts, settings));
      }
    } catch (error) {
      await Promise.all(readers.map((reader) => reader.connection.close()));
      throw error;
    }
    return new SideReader(side, readers);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.connection.close()));
  }

  /** @throws SyncError CONNECT when a node is gone. */
  async read(database: number, keys: readonly Buffer[]): Promise<KeyState[]> {
    const perNode = await Promise.all(this.#nodes.map((node) => node.read(database, keys)));
    return keys.map((_, index) => this.#merge(perNode.map((states) => states[index])));
  }

  #merge(states: readonly (KeyState | undefined)[]): KeyState {
    const present = states.filter((state) => state?.kind === 'present');
    if (present.length > 1)
      return { kind: 'unreadable', reason: `the key is on more than one ${this.#side} node` };
    const answer = present[0] ?? states.find((state) => state?.kind === 'unreadable') ?? states[0];
    if (answer === undefined) throw new SyncError('INTERNAL', 'A side without nodes was read.');
    return answer;
  }
}
