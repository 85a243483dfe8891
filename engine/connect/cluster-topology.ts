/**
 * Which shards a cluster has, where their nodes are, and which slots they own: as one of its nodes says. Read from CLUSTER
 * NODES, which every version has, and which tells of slots on the move (only those of the node that is asked).
 */
import { SyncError } from '../errors.ts';
import { SLOTS } from '../keys/cluster-slot.ts';
import { textOf } from '../resp/reply-text.ts';
import { ReplyError } from '../resp/reply.ts';
import { Connection, type ConnectOptions } from './connection.ts';
import { describeEndpoint, type Endpoint } from './endpoint.ts';

/** First and last slot. */
export type SlotRange = readonly [first: number, last: number];

export interface ClusterNode {
  id: string;
  /** With the login of the node that was asked. */
  endpoint: Endpoint;
}

export interface Shard {
  primary: ClusterNode;
  replicas: ClusterNode[];
  slots: SlotRange[];
}

/** A slot that the asked node is giving away or getting, and the other node's id. */
export interface MovingSlot {
  slot: number;
  direction: 'leaving' | 'coming';
  other: string;
}

export interface ClusterTopology {
  /** Shards with slots, by their first slot, then those without. */
  shards: Shard[];
  /** Index into `shards` by slot; -1 where nobody owns it. */
  owners: Int16Array;
  /** Id of the node that was asked. */
  self: string;
  moving: MovingSlot[];
  /** Ids of nodes that are believed to be down. */
  failed: ReadonlySet<string>;
}

/** @throws SyncError CONNECT (retryable: it is no cluster now, or LOADING), PERMISSION. */
export async function readTopology(connection: Connection): Promise<ClusterTopology> {
  const { endpoint } = connection;
  const reply = await connection.tryCall('CLUSTER', 'NODES');
  if (reply instanceof ReplyError) {
    const isOff = /cluster support disabled/i.test(reply.message);
    throw new SyncError(
      isOff ? 'PROTOCOL' : 'CONNECT',
      `The server refused CLUSTER NODES: ${reply.message}`,
      {
        where: describeEndpoint(endpoint),
        retryable: !isOff && reply.kind !== 'NOPERM',
        hint: isOff
          ? 'It is not part of a cluster: describe it as a standalone instance.'
          : 'Allow CLUSTER to the account (ACL SETUSER <user> +cluster), or wait until the node is up.',
        cause: reply,
      },
    );
  }
  return parseTopology(textOf(reply), endpoint);
}

/** Asks one node after the other until one answers. @throws the last failure. */
export async function askTopology(
  nodes: readonly Endpoint[],
  options: ConnectOptions = {},
): Promise<ClusterTopology> {
  const said: string[] = [];
  let failure: unknown;
  for (const node of nodes) {
    try {
      await using connection = await Connection.open(node, options);
      return await readTopology(connection);
    } catch (error) {
      failure = error;
      said.push(`${describeEndpoint(node)}: ${error instanceof Error ? error.message : String(error)}`);
      if (options.signal?.aborted) break;
    }
  }
  if (nodes.length === 1 && failure instanceof SyncError) throw failure;
  const isLogin = failure instanceof SyncError && (failure.code === 'AUTH' || failure.code === 'PROTOCOL');
  if (isLogin) throw failure;
  throw new SyncError('CONNECT', `No node of the cluster tells its topology. ${said.join('; ')}`, {
    where: nodes.map(describeEndpoint).join(', '),
    retryable: true,
    cause: failure,
  });
}

/** @param asked where the answer came from: a node may not know its own address. */
export function parseTopology(text: string, asked: Endpoint): ClusterTopology {
  const rows = text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => parseRow(line, asked));
  const shards = rows
    .filter(({ isPrimary, slots, isDown }) => isPrimary && !(isDown && slots.length === 0))
    .map(({ node, slots }): Shard => ({
      primary: node,
      replicas: rows.filter(({ primaryId }) => primaryId === node.id).map((row) => row.node),
      slots,
    }));
  shards.sort((a, b) => (a.slots[0]?.[0] ?? SLOTS) - (b.slots[0]?.[0] ?? SLOTS));
  const owners = new Int16Array(SLOTS).fill(-1);
  for (const [index, { slots }] of shards.entries())
    for (const [first, last] of slots) owners.fill(index, first, last + 1);
  const self = rows.find(({ isSelf }) => isSelf);
  return {
    shards,
    owners,
    self: self?.node.id ?? '',
    moving: self?.moving ?? [],
    failed: new Set(rows.filter(({ isDown }) => isDown).map(({ node }) => node.id)),
  };
}

interface Row {
  node: ClusterNode;
  isPrimary: boolean;
  isSelf: boolean;
  isDown: boolean;
  primaryId: string;
  slots: SlotRange[];
  moving: MovingSlot[];
}

/** `<id> <ip:port@cport[,hostname]> <flags> <primary> <ping> <pong> <epoch> <link> <slot> <slot> …` */
function parseRow(line: string, asked: Endpoint): Row {
  const [id = '', address = '', flagText = '', primaryId = '', , , , , ...words] = line.trim().split(' ');
  const flags = flagText.split(',');
  const [place = '', hostname = ''] = address.split(',');
  const [hostAndPort = ''] = place.split('@');
  const colon = hostAndPort.lastIndexOf(':');
  const isSelf = flags.includes('myself');
  const named = hostAndPort.slice(0, colon) || hostname;
  // A node that was never met under another name knows no address of its own.
  const host = named === '' || (isSelf && named === '?') ? asked.host : named;
  const port = Number(hostAndPort.slice(colon + 1)) || asked.port;
  const { host: _host, port: _port, ...login } = asked;
  return {
    node: { id, endpoint: { ...login, host, port } },
    isPrimary: flags.includes('master') && !flags.includes('noaddr') && !flags.includes('handshake'),
    isSelf,
    isDown: flags.includes('fail'),
    primaryId: primaryId === '-' ? '' : primaryId,
    slots: words.filter((word) => /^\d/.test(word)).map(parseRange),
    moving: words.flatMap(parseMoving),
  };
}

function parseRange(word: string): SlotRange {
  const [first = '0', last = first] = word.split('-');
  return [Number(first), Number(last)];
}

/** `[93->-<id>]` leaves, `[77-<-<id>]` comes. */
function parseMoving(word: string): MovingSlot[] {
  const match = /^\[(\d+)-([<>])-([0-9a-f]+)\]$/.exec(word);
  if (match === null) return [];
  return [
    { slot: Number(match[1]), direction: match[2] === '>' ? 'leaving' : 'coming', other: match[3] ?? '' },
  ];
}
