/** Reads single keys again, from all nodes of a side: first what they are, then the values that a verdict needs. */
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
  /** MEMORY USAGE; 0 where the server does not tell. */
  memoryBytes: number;
  /** Too big for one reply: to be read in pages. */
  big: boolean;
  /** DUMP payload; null = not read. */
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

  /** What the keys are, when they expire and how large they are, in one round trip. */
  async readHeads(database: number, keys: readonly Buffer[]): Promise<KeyState[]> {
    if (!(await this.select(database))) {
      const nowMs = await readServerTimeMs(this.connection);
      return keys.map(() => ({ kind: 'absent', nowMs }));
    }
    const commands = keys.flatMap((key): Argument[][] => [
      ['TYPE', key],
      this.#sizes ? ['MEMORY', 'USAGE', key] : ['EXISTS', key],
      [this.#absolute ? 'PEXPIRETIME' : 'PTTL', key],
    ]);
    const replies = await this.connection.pipeline([['TIME'], ...commands, ['TIME']]);
    const clock = { before: timeReplyMs(replies[0]), after: timeReplyMs(replies.at(-1)) };
    return keys.map((_, index) => this.#head(replies.slice(1 + 3 * index, 4 + 3 * index), clock));
  }

  /** The payloads of keys whose heads were read; a key that has vanished since is absent. */
  async readValues(
    database: number,
    keys: readonly Buffer[],
    heads: readonly PresentKey[],
  ): Promise<KeyState[]> {
    if (keys.length === 0) return [];
    await this.select(database);
    const replies = await this.connection.pipeline(keys.map((key) => ['DUMP', key]));
    return heads.map((head, index) => this.#value(head, replies[index] ?? null));
  }

  #head(replies: readonly Reply[], clock: { before: number; after: number }): KeyState {
    const [type = null, size, expiry] = replies;
    const nowMs = clock.after;
    for (const reply of [type, expiry]) if (reply instanceof ReplyError) return this.#refused(reply, nowMs);
    if (type === 'none' || expiry === -2) return { kind: 'absent', nowMs };
    if (typeof expiry !== 'number')
      return { kind: 'unreadable', reason: `${this.node} answered something unexpected` };
    const memoryBytes = this.#sizes && typeof size === 'number' ? size : 0;
    const middle = (clock.before + clock.after) / 2;
    return {
      kind: 'present',
      reader: this,
      type: textOf(type),
      expireAtMs: expiry < 0 ? null : this.#absolute ? expiry : Math.round(middle + expiry),
      uncertaintyMs: this.#absolute ? 0 : (clock.after - clock.before) / 2 + 1,
      nowMs,
      memoryBytes,
      big: memoryBytes > this.#bigBytes,
      payload: null,
    };
  }

  #value(head: PresentKey, reply: Reply): KeyState {
    if (reply === null) return { kind: 'absent', nowMs: head.nowMs };
    if (reply instanceof ReplyError) return this.#refused(reply, head.nowMs);
    if (!Buffer.isBuffer(reply))
      return { kind: 'unreadable', reason: `${this.node} answered something unexpected` };
    return { ...head, type: payloadType(reply, head.type), payload: reply };
  }

  #refused(reply: ReplyError, nowMs: number): KeyState {
    // Another node of the cluster has the slot.
    if (reply.kind === 'MOVED') return { kind: 'absent', nowMs };
    return { kind: 'unreadable', reason: `${this.node} answered ${reply.kind}` };
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
  async readHeads(database: number, keys: readonly Buffer[]): Promise<KeyState[]> {
    const perNode = await Promise.all(this.#nodes.map((node) => node.readHeads(database, keys)));
    return keys.map((_, index) => this.#merge(perNode.map((states) => states[index])));
  }

  /** The states again, those at the `wanted` places with their payload. Only present keys are wanted. */
  async readValues(
    database: number,
    keys: readonly Buffer[],
    states: readonly KeyState[],
    wanted: readonly boolean[],
  ): Promise<KeyState[]> {
    const result = [...states];
    const read = async (node: NodeReader): Promise<void> => {
      const here = keys.flatMap((key, index) => {
        const state = states[index];
        const mine = wanted[index] === true && state?.kind === 'present' && state.reader === node;
        return mine ? [{ key, index, state }] : [];
      });
      const values = await node.readValues(
        database,
        here.map(({ key }) => key),
        here.map(({ state }) => state),
      );
      for (const [at, { index, state }] of here.entries()) result[index] = values[at] ?? state;
    };
    await Promise.all(this.#nodes.map(read));
    return result;
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
