/** Small real clusters for tests: formed on loopback, resharded and failed over the way operators do it. */
import { Connection, type Argument } from '../../engine/connect/connection.ts';
import { readTopology, type ClusterTopology } from '../../engine/connect/cluster-topology.ts';
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import { clusterSlot, SLOTS } from '../../engine/keys/cluster-slot.ts';
import { ReplyError, type Reply } from '../../engine/resp/reply.ts';
import { textOf } from '../../engine/resp/reply-text.ts';
import { freePort, startServer, type TestServer } from './server.ts';
import { until } from './until.ts';

const NODE_TIMEOUT_MS = 1000;

export interface TestNode {
  server: TestServer;
  connection: Connection;
  id: string;
}

export class TestCluster implements AsyncDisposable {
  readonly primaries: TestNode[];
  /** The replica of each primary, if it has one. */
  readonly replicas: TestNode[];

  private constructor(primaries: TestNode[], replicas: TestNode[]) {
    this.primaries = primaries;
    this.replicas = replicas;
  }

  /** Forms a cluster with the slots spread evenly; resolves when every node says that it is up. */
  static async form(
    shards = 3,
    options: { replicas?: boolean; config?: Record<string, string>; idle?: number } = {},
  ): Promise<TestCluster> {
    const count = options.replicas === true ? shards * 2 : shards;
    const nodes = await Promise.all(
      Array.from({ length: count + (options.idle ?? 0) }, () => openNode(options.config ?? {})),
    );
    const [first] = nodes;
    if (first === undefined) throw new Error('a cluster needs a node');
    const primaries = [...nodes.slice(0, shards), ...nodes.slice(count)];
    const cluster = new TestCluster(primaries, nodes.slice(shards, count));
    const size = SLOTS / shards;
    for (const [index, { connection }] of nodes.slice(0, shards).entries()) {
      const from = Math.floor(index * size);
      await connection.call('CLUSTER', 'ADDSLOTSRANGE', from, Math.floor((index + 1) * size) - 1);
      await connection.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
    }
    for (const { server } of nodes.slice(1))
      await first.connection.call('CLUSTER', 'MEET', '127.0.0.1', server.port);
    await until(async () =>
      (await Promise.all(nodes.map((node) => knows(node, nodes.length)))).every(Boolean),
    );
    for (const [index, replica] of cluster.replicas.entries())
      await replica.connection.call('CLUSTER', 'REPLICATE', primaries[index]?.id ?? '');
    await until(async () => (await Promise.all(nodes.map(isUp))).every(Boolean));
    await until(async () => (await Promise.all(cluster.replicas.map(isLinked))).every(Boolean));
    return cluster;
  }

  get seeds(): Endpoint[] {
    return this.primaries.map(({ server }) => server.endpoint);
  }

  get nodes(): TestNode[] {
    return [...this.primaries, ...this.replicas];
  }

  /** As the first node that is up says. */
  async topology(): Promise<ClusterTopology> {
    for (const { connection } of this.nodes) if (!connection.closed) return readTopology(connection);
    throw new Error('no node is up');
  }

  /** Routes a command by the key at `keyAt`, through MOVED and ASK. */
  async call(words: readonly Argument[], keyAt = 1): Promise<Reply> {
    const key = words[keyAt] ?? '';
    const slot = clusterSlot(Buffer.isBuffer(key) ? key : Buffer.from(String(key)));
    const topology = await this.topology();
    let port = topology.shards[topology.owners[slot] ?? 0]?.primary.endpoint.port;
    let asking = false;
    for (;;) {
      const node = this.nodes.find(({ server }) => server.port === port);
      if (node === undefined) throw new Error(`no node on port ${port}`);
      const replies = await node.connection.pipeline(asking ? [['ASKING'], words] : [words]);
      const reply = replies.at(-1) ?? null;
      if (!(reply instanceof ReplyError)) return reply;
      asking = reply.kind === 'ASK';
      if (asking || reply.kind === 'MOVED') port = Number(reply.message.split(':').at(-1));
      else if (!/^(TRYAGAIN|CLUSTERDOWN)$/.test(reply.kind)) throw new Error(reply.message);
    }
  }

  /** Many commands with their key in second place, routed by one look at the topology; slots must stand still. */
  async pipeline(commands: readonly (readonly Argument[])[]): Promise<void> {
    const topology = await this.topology();
    await Promise.all(
      topology.shards.map(async ({ primary }, index) => {
        const own = commands.filter(
          (words) => topology.owners[clusterSlot(Buffer.from(String(words[1])))] === index,
        );
        const node = this.nodes.find(({ id }) => id === primary.id);
        const replies = (await node?.connection.pipeline(own)) ?? [];
        const refused = replies.find((reply) => reply instanceof ReplyError);
        if (refused instanceof ReplyError) throw new Error(refused.message);
      }),
    );
  }

  /** Empties every shard. */
  async clear(): Promise<void> {
    for (const { connection } of this.primaries) await connection.call('FLUSHALL');
  }

  /**
   * Moves slots with their keys, as redis-cli --cluster reshard does.
   *
   * @param slotsAtOnce so many are on the move together, their commands pipelined.
   */
  async move(slots: Iterable<number>, from: TestNode, to: TestNode, slotsAtOnce = 1): Promise<void> {
    const all = [...slots];
    for (let start = 0; start < all.length; start += slotsAtOnce)
      await this.#moveTogether(all.slice(start, start + slotsAtOnce), from, to);
  }

  async #moveTogether(slots: readonly number[], from: TestNode, to: TestNode): Promise<void> {
    await setSlots(to, slots, 'IMPORTING', from);
    await setSlots(from, slots, 'MIGRATING', to);
    const migrate = ['MIGRATE', '127.0.0.1', to.server.port, '', 0, 5000, 'REPLACE', 'KEYS'];
    let left = slots;
    while (left.length > 0) {
      const listed = await from.connection.pipeline(
        left.map((slot) => ['CLUSTER', 'GETKEYSINSLOT', slot, 100]),
      );
      const filled = listed.flatMap((keys, index) =>
        Array.isArray(keys) && keys.length > 0 ? [{ slot: left[index] ?? -1, keys }] : [],
      );
      const replies = await from.connection.pipeline(
        filled.map(({ keys }) => [...migrate, ...keys.filter((key) => Buffer.isBuffer(key))]),
      );
      refuseErrors(replies);
      left = filled.map(({ slot }) => slot);
    }
    // The new owner first: otherwise nobody would have them for a moment.
    const others = this.primaries.filter((node) => node !== to && node !== from);
    for (const node of [to, from, ...others])
      if (!node.connection.closed) await setSlots(node, slots, 'NODE', to);
  }

  /** Resolves when every node sees the same owner of every slot. */
  async agrees(): Promise<void> {
    await until(async () => {
      const views = await Promise.all(
        this.nodes
          .filter(({ connection }) => !connection.closed)
          .map(({ connection }) => readTopology(connection)),
      );
      const owners = views.map(({ owners: by, shards }) =>
        [...by].map((owner) => shards[owner]?.primary.id).join(),
      );
      return new Set(owners).size === 1;
    });
  }

  /** Every key that is not our own with its type and DUMP, and whether it is where its slot is. */
  async contents(): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    const topology = await this.topology();
    for (const [index, { primary }] of topology.shards.entries()) {
      const node = this.nodes.find(({ id }) => id === primary.id);
      for (const [key, value] of await contentsOf(node?.connection)) {
        if (topology.owners[clusterSlot(Buffer.from(key, 'latin1'))] !== index)
          found.set(`${key} on the wrong node`, '');
        found.set(key, value);
      }
    }
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.nodes.map(async ({ server, connection }) => {
        await connection.close();
        await server.stop();
      }),
    );
  }
}

/** As `TestCluster.contents`, of one server. */
export async function contentsOf(connection: Connection | undefined): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const reply = (await connection?.call('KEYS', '*')) ?? null;
  const keys = (Array.isArray(reply) ? reply : []).filter((key) => Buffer.isBuffer(key));
  const data = keys.filter((key) => !/^(redis-sync:|DTS_REDIS_)/.test(key.toString('latin1')));
  const dumps = (await connection?.pipeline(data.map((key) => ['DUMP', key]))) ?? [];
  for (const [index, key] of data.entries()) {
    const dump = dumps[index];
    found.set(key.toString('latin1'), Buffer.isBuffer(dump) ? dump.toString('base64') : textOf(dump));
  }
  return found;
}

/** Keys that are not the same, at most twenty. */
export function differences(left: Map<string, string>, right: Map<string, string>): string[] {
  const missing = [...left].filter(([key]) => !right.has(key)).map(([key]) => `missing ${key}`);
  const extra = [...right].filter(([key]) => !left.has(key)).map(([key]) => `extra ${key}`);
  const other = [...left]
    .filter(([key, value]) => right.has(key) && right.get(key) !== value)
    .map(([key]) => `other ${key}`);
  return [...missing, ...extra, ...other].slice(0, 20);
}

async function setSlots(
  { connection }: TestNode,
  slots: readonly number[],
  state: 'IMPORTING' | 'MIGRATING' | 'NODE',
  { id }: TestNode,
): Promise<void> {
  const replies = await connection.pipeline(slots.map((slot) => ['CLUSTER', 'SETSLOT', slot, state, id]));
  // One that has given its last slot away is a replica of the new owner by now, and takes no such word.
  refuseErrors(replies.filter((reply) => !textOf(reply).includes('SETSLOT only with masters')));
}

function refuseErrors(replies: readonly Reply[]): void {
  const refused = replies.find((reply) => reply instanceof ReplyError);
  if (refused instanceof ReplyError) throw new Error(refused.message);
}

async function openNode(config: Record<string, string>): Promise<TestNode> {
  const server = await startNode(config);
  const connection = await Connection.open(server.endpoint);
  return { server, connection, id: textOf(await connection.call('CLUSTER', 'MYID')) };
}

/** The bus listens 10,000 ports higher, where somebody else may be: then it is tried with another port. */
async function startNode(config: Record<string, string>): Promise<TestServer> {
  for (let attempt = 1; ; attempt++) {
    let port = await freePort();
    while (port > 55_000) port = await freePort();
    try {
      return await startServer({
        port: String(port),
        'cluster-enabled': 'yes',
        'cluster-node-timeout': String(NODE_TIMEOUT_MS),
        'cluster-replica-validity-factor': '0',
        ...config,
      });
    } catch (error) {
      if (attempt === 5 || !String(error).includes('Address already in use')) throw error;
    }
  }
}

async function knows({ connection }: TestNode, count: number): Promise<boolean> {
  const info = textOf(await connection.call('CLUSTER', 'NODES'));
  const lines = info.split('\n').filter((line) => line !== '');
  return lines.length === count && !/handshake|fail|noaddr/.test(info);
}

async function isUp({ connection }: TestNode): Promise<boolean> {
  return /cluster_state:ok/.test(textOf(await connection.call('CLUSTER', 'INFO')));
}

async function isLinked({ connection }: TestNode): Promise<boolean> {
  return /master_link_status:up/.test(textOf(await connection.call('INFO', 'replication')));
}
