/**
 * A whole cluster that looks like one server to whoever reads or writes key by key: each command goes to the node of its
 * first key. Commands without one (INFO, SELECT 0) go to any node. Follows MOVED; a slot on the move is asked at its new node.
 */
import { SyncError } from '../errors.ts';
import { clusterSlot } from '../keys/cluster-slot.ts';
import { ReplyError, type Reply } from '../resp/reply.ts';
import { askTopology, type ClusterTopology } from './cluster-topology.ts';
import { Connection, type Argument, type ConnectOptions } from './connection.ts';
import { openWhere } from './discover.ts';
import type { ClusterEntry, Whereabouts } from './discovery.ts';
import { describeEndpoint, type Endpoint } from './endpoint.ts';
import { wordReplyError } from './reply-errors.ts';

/** One server or a whole cluster. */
export type Caller = Pick<Connection, 'call' | 'tryCall' | 'pipeline'> &
  AsyncDisposable & { close(): Promise<void> };

const ATTEMPTS = 50;
const PAUSE_MS = 50;
/** Commands whose second word is no key. */
const KEYLESS = new Set([
  'SELECT',
  'INFO',
  'PING',
  'TIME',
  'CLIENT',
  'CONFIG',
  'COMMAND',
  'DBSIZE',
  'FUNCTION',
  'SCRIPT',
]);

/** @throws SyncError as Connection.open. */
export async function openCaller(whereabouts: Whereabouts, options: ConnectOptions = {}): Promise<Caller> {
  return 'kind' in whereabouts && whereabouts.kind === 'cluster'
    ? ClusterReader.open(whereabouts, options)
    : openWhere(whereabouts, options);
}

export class ClusterReader implements Caller {
  readonly #entry: ClusterEntry;
  readonly #options: ConnectOptions;
  readonly #connections = new Map<string, Connection>();
  #topology: ClusterTopology;

  private constructor(entry: ClusterEntry, options: ConnectOptions, topology: ClusterTopology) {
    this.#entry = entry;
    this.#options = options;
    this.#topology = topology;
  }

  /** @throws SyncError as askTopology. */
  static async open(entry: ClusterEntry, options: ConnectOptions = {}): Promise<ClusterReader> {
    return new ClusterReader(entry, options, await askTopology(entry.seeds, options));
  }

  /** @throws SyncError worded with the server's text on an error reply. */
  async call(...words: Argument[]): Promise<Reply> {
    const reply = await this.tryCall(...words);
    if (reply instanceof ReplyError) throw wordReplyError(reply, this.#nodeOf(words), String(words[0]));
    return reply;
  }

  /** An error reply is returned, unless it is about where the slot is. */
  async tryCall(...words: Argument[]): Promise<Reply> {
    let at = this.#nodeOf(words);
    let asking = false;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const connection = await this.#connect(at);
      const replies = await connection.pipeline(asking ? [['ASKING'], words] : [words]);
      const reply = replies.at(-1) ?? null;
      if (!(reply instanceof ReplyError) || !/^(MOVED|ASK|TRYAGAIN|CLUSTERDOWN)$/.test(reply.kind))
        return reply;
      asking = reply.kind === 'ASK';
      if (asking) at = namedIn(reply.message, at);
      else {
        await new Promise((resolve) => setTimeout(resolve, attempt === 0 ? 0 : PAUSE_MS));
        this.#topology = await askTopology([at, ...this.#entry.seeds], this.#options);
        at = reply.kind === 'MOVED' ? namedIn(reply.message, at) : this.#nodeOf(words);
      }
    }
    throw new SyncError('CONNECT', 'The cluster does not say where a slot is.', { retryable: true });
  }

  async pipeline(commands: readonly (readonly Argument[])[]): Promise<Reply[]> {
    return Promise.all(commands.map((words) => this.tryCall(...words)));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#connections.values()].map((connection) => connection.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #nodeOf([name, key]: readonly Argument[]): Endpoint {
    const { shards, owners } = this.#topology;
    const bytes = Buffer.isBuffer(key) ? key : Buffer.from(String(key ?? ''));
    const isKeyless = key === undefined || KEYLESS.has(String(name).toUpperCase());
    const shard = isKeyless ? shards[0] : shards[owners[clusterSlot(bytes)] ?? -1];
    return (shard ?? shards[0])?.primary.endpoint ?? this.#entry.seeds[0] ?? { host: '', port: 0 };
  }

  async #connect(endpoint: Endpoint): Promise<Connection> {
    const name = describeEndpoint(endpoint);
    const known = this.#connections.get(name);
    if (known?.closed === false) return known;
    const opened = await Connection.open(endpoint, this.#options);
    const other = this.#connections.get(name);
    if (other?.closed === false) {
      await opened.close();
      return other;
    }
    this.#connections.set(name, opened);
    return opened;
  }
}

/** `MOVED 3999 10.0.0.5:6381`; without a host it is the one that answered. */
export function namedIn(message: string, asked: Endpoint): Endpoint {
  const address = message.split(' ')[2] ?? '';
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon);
  return {
    ...asked,
    host: host === '' || host === '?' ? asked.host : host,
    port: Number(address.slice(colon + 1)),
  };
}
