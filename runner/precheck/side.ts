/** One instance as the prechecks see it: a connection, or why there is none, and answers that are asked for only once. */
import { parseTopology } from '../../engine/connect/cluster-topology.ts';
import { Connection, type Argument } from '../../engine/connect/connection.ts';
import { describeEndpoint, type Endpoint } from '../../engine/connect/endpoint.ts';
import { asError, SyncError } from '../../engine/errors.ts';
import { tagOfSlot } from '../../engine/keys/cluster-slot.ts';
import { ReplyError, type Reply } from '../../engine/resp/reply.ts';
import { parseInfo, textOf } from '../../engine/resp/reply-text.ts';

/** A fact that could not be measured, and why. Becomes a row with verdict UNKNOWN. */
export class Unmeasured extends Error {
  override readonly name = 'Unmeasured';
}

export interface SideOptions {
  name: string;
  endpoint: Endpoint;
  mayProbe: boolean;
  provisioned: boolean;
  /** It is described as a cluster. */
  isCluster?: boolean;
  signal?: AbortSignal;
}

const CONNECT_TIMEOUT_MS = 10_000;
const REPLY_TIMEOUT_MS = 15_000;

export class Side implements AsyncDisposable {
  /** Name of the instance. */
  readonly name: string;
  readonly endpoint: Endpoint;
  /** Short-lived probe keys may be written to it. */
  readonly mayProbe: boolean;
  /** A throw-away server of this run. */
  readonly provisioned: boolean;
  /** It is described as a cluster; then this is one of its nodes. */
  readonly isCluster: boolean;
  readonly #connection: Connection | SyncError;
  readonly #answers = new Map<string, Promise<Reply>>();

  private constructor(options: SideOptions, connection: Connection | SyncError) {
    this.name = options.name;
    this.endpoint = options.endpoint;
    this.mayProbe = options.mayProbe;
    this.provisioned = options.provisioned;
    this.isCluster = options.isCluster === true;
    this.#connection = connection;
  }

  /** Never throws for a server that cannot be reached: that is a measurement too. */
  static async open(options: SideOptions): Promise<Side> {
    try {
      const connection = await Connection.open(options.endpoint, {
        name: 'redis-sync:precheck',
        connectTimeoutMs: CONNECT_TIMEOUT_MS,
        replyTimeoutMs: REPLY_TIMEOUT_MS,
        ...(options.signal ? { signal: options.signal } : {}),
      });
      return new Side(options, connection);
    } catch (error) {
      if (error instanceof SyncError) return new Side(options, error);
      throw error;
    }
  }

  get address(): string {
    return describeEndpoint(this.endpoint);
  }

  /** `source (127.0.0.1:6379)`, for the row's subject. */
  get label(): string {
    return `${this.name} (${this.address})`;
  }

  /** Why there is no connection; undefined when there is one. */
  get failure(): SyncError | undefined {
    return this.#connection instanceof SyncError ? this.#connection : undefined;
  }

  /** The reply, also when it is an error reply. Asked once per command. @throws Unmeasured without a connection. */
  ask(...command: readonly string[]): Promise<Reply> {
    const key = JSON.stringify(command);
    const known = this.#answers.get(key);
    if (known) return known;
    const answer = this.send([command]).then(([reply]) => reply ?? null);
    this.#answers.set(key, answer);
    return answer;
  }

  /** As `ask`. @throws Unmeasured when the server refuses the command (NOPERM, renamed, unknown, LOADING …). */
  async need(...command: readonly string[]): Promise<Reply> {
    const reply = await this.ask(...command);
    if (reply instanceof ReplyError) throw new Unmeasured(`${command.join(' ')} → ${reply.message}`);
    return reply;
  }

  /** Commands in one write, always sent anew. @throws Unmeasured when the connection is not there or breaks. */
  async send(commands: readonly (readonly Argument[])[]): Promise<Reply[]> {
    if (this.#connection instanceof SyncError)
      throw new Unmeasured(`no connection: ${this.#connection.message}`);
    try {
      return await this.#connection.pipeline(commands);
    } catch (error) {
      throw new Unmeasured(`${textOf(String(commands[0]?.[0]))} → ${asError(error).message}`);
    }
  }

  /** Fields of a section of INFO. @throws Unmeasured. */
  async info(section: string): Promise<Record<string, string>> {
    return parseInfo(await this.need('INFO', section));
  }

  /** What a key's name must end with to be one of this node; nothing outside of a cluster. @throws Unmeasured. */
  async ownTag(): Promise<string> {
    if (!this.isCluster) return '';
    const nodes = await this.need('CLUSTER', 'NODES');
    const { shards, self } = parseTopology(textOf(nodes), this.endpoint);
    const slot = shards.find(({ primary }) => primary.id === self)?.slots[0]?.[0];
    if (slot === undefined) throw new Unmeasured('CLUSTER NODES → the node has no slot');
    return `{${tagOfSlot(slot)}}`;
  }

  /** The other primaries with slots of the same cluster, opened for the caller to close; none outside of a cluster. @throws Unmeasured. */
  async otherShards(): Promise<Side[]> {
    if (!this.isCluster) return [];
    const { shards, self } = parseTopology(textOf(await this.need('CLUSTER', 'NODES')), this.endpoint);
    const others = shards.filter(({ primary, slots }) => primary.id !== self && slots.length > 0);
    const { name, mayProbe, provisioned, isCluster } = this;
    return Promise.all(
      others.map(({ primary: { endpoint } }) =>
        Side.open({ name, endpoint, mayProbe, provisioned, isCluster }),
      ),
    );
  }

  /** The value of a directive. @throws Unmeasured when CONFIG is refused or does not know it. */
  async config(name: string): Promise<string> {
    const reply = await this.need('CONFIG', 'GET', name);
    const value = Array.isArray(reply) ? reply[1] : undefined;
    if (value === undefined)
      throw new Unmeasured(`CONFIG GET ${name} → (empty): the server does not have it`);
    return textOf(value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#connection instanceof Connection) await this.#connection.close();
  }
}
