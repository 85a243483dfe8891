/** From a step's `where` to the servers and ways it means, at this moment. */
import { askTopology, type Shard } from '../../engine/connect/cluster-topology.ts';
import { Connection } from '../../engine/connect/connection.ts';
import { describeEndpoint, type Endpoint } from '../../engine/connect/endpoint.ts';
import { SyncError } from '../../engine/errors.ts';
import { parseInfo } from '../../engine/resp/reply-text.ts';
import type { GateControl } from '../proxy/gate-control.ts';
import type { FaultContext } from './fault.ts';
import type { Aim, EngineControl, FaultInstance, FaultLink, FaultNode, NodeControl } from './subjects.ts';

const ASK_MS = 1000;

/** The instance that is aimed at. @throws SyncError SPEC_INVALID when it is not an instance. */
export function aimedInstance(context: FaultContext): FaultInstance {
  const aim = aimOf(context);
  if (aim.kind === 'node') return aim.instance;
  throw invalid(context, `${context.where ?? ''} is a link`, 'Aim at an instance.');
}

/** The server that is aimed at: the primary as it is now, or a replica by its number; of a cluster those of one shard. */
export async function aimedNode(context: FaultContext): Promise<FaultNode> {
  const aim = aimOf(context);
  if (aim.kind !== 'node')
    throw invalid(context, `${context.where ?? ''} is a link`, 'Aim at an instance or one of its nodes.');
  const { instance, shard } = aim;
  if (aim.role === 'primary') return primaryOf(instance, shard);
  const replica = (await replicasOf(instance, shard))[aim.index];
  if (replica === undefined)
    throw invalid(context, `${instance.name} has no replica ${aim.index} now`, 'Give it more `replicas`.');
  return replica;
}

/** Number of the shard that is aimed at; the first when none is named. */
export function aimedShard(context: FaultContext): number {
  const aim = aimOf(context);
  return (aim.kind === 'node' ? aim.shard : undefined) ?? 0;
}

/** The link that is aimed at. */
export function aimedLink(context: FaultContext): FaultLink {
  const aim = aimOf(context);
  if (aim.kind === 'link') return aim.link;
  throw invalid(context, `${context.where ?? ''} is not a link`, 'Aim at link:NAME.');
}

/** One end of a link: the way there, and who is there. */
export interface AimedSide {
  side: 'source' | 'target';
  gate: GateControl;
  instance: FaultInstance;
}

/** The ends that are aimed at: one side of a link, or both. */
export function aimedSides(context: FaultContext): AimedSide[] {
  const aim = aimOf(context);
  if (aim.kind !== 'link')
    throw invalid(
      context,
      `${context.where ?? ''} is not a way`,
      'Aim at link:NAME.source or link:NAME.target.',
    );
  const { link } = aim;
  const sides = aim.side === undefined ? (['source', 'target'] as const) : [aim.side];
  const found = sides.flatMap((side) => {
    const gate = link.gate(side);
    return gate === undefined ? [] : [{ side, gate, instance: context.subjects.instance(link[side]) }];
  });
  if (found.length === 0) throw new SyncError('INTERNAL', 'There is no proxy on this way.');
  return found;
}

/** The replicators of the links that start at the instance that is aimed at. */
export function aimedEngines(context: FaultContext): EngineControl[] {
  const { name } = aimedInstance(context);
  const links = context.subjects.linksOf(name).filter(({ source }) => source === name);
  if (links.length === 0) throw invalid(context, `No link starts at ${name}`, 'Aim at the source of a link.');
  return links.map(({ engine }) => engine);
}

/** What may be done to a node's process. @throws SyncError SPEC_INVALID when it is not ours. */
export function controlOf(context: FaultContext, node: FaultNode): NodeControl {
  if (node.control !== undefined) return node.control;
  throw invalid(
    context,
    `${node.address} is not a server of ours`,
    'Leave out its `url`: it is provisioned then.',
  );
}

/** The node that says it is a primary; of several the one with most data behind it. Of a cluster: that of the shard. */
export async function primaryOf(instance: FaultInstance, shard = 0): Promise<FaultNode> {
  if (instance.kind === 'cluster') return nodeAt(instance, (await shardOf(instance, shard)).primary.endpoint);
  const roles = await rolesOf(instance);
  const [first] = roles
    .filter(({ role }) => role === 'master')
    .toSorted((a, b) => b.replicas - a.replicas || b.offset - a.offset);
  if (first !== undefined) return first.node;
  // None answers (it may be paused, or dead): whoever was it at the start.
  const [original] = instance.nodes();
  if (original !== undefined) return original;
  throw new SyncError('CONNECT', `No server of ${instance.name} is a primary.`, { where: instance.name });
}

/** The nodes that say they are replicas, in the order in which they were provisioned. Of a cluster: those of the shard. */
export async function replicasOf(instance: FaultInstance, shard = 0): Promise<FaultNode[]> {
  if (instance.kind === 'cluster')
    return (await shardOf(instance, shard)).replicas.map(({ endpoint }) => nodeAt(instance, endpoint));
  return (await rolesOf(instance)).filter(({ role }) => role === 'slave').map(({ node }) => node);
}

/** A shard of a cluster as its nodes see it now, by the order of first slots. */
export async function shardOf(instance: FaultInstance, shard: number): Promise<Shard> {
  const { shards } = await askTopology(
    instance.nodes().map(({ endpoint }) => endpoint),
    { connectTimeoutMs: ASK_MS, replyTimeoutMs: ASK_MS },
  );
  const found = shards[shard];
  if (found !== undefined) return found;
  throw new SyncError('SPEC_INVALID', `${instance.name} has ${shards.length} shards, counted from 0.`, {
    where: `${instance.name}.shard(${shard})`,
  });
}

function nodeAt(instance: FaultInstance, endpoint: Endpoint): FaultNode {
  const address = describeEndpoint(endpoint);
  const node = instance.nodes().find((each) => each.address === address);
  if (node !== undefined) return node;
  throw new SyncError('INTERNAL', `${address} is none of the servers of ${instance.name}.`);
}

interface NodeRole {
  node: FaultNode;
  role: string;
  replicas: number;
  offset: number;
}

async function rolesOf(instance: FaultInstance): Promise<NodeRole[]> {
  return Promise.all(
    instance.nodes().map(async (node) => {
      const info = await infoOf(node, 'replication').catch((): Record<string, string> => ({}));
      return {
        node,
        role: info['role'] ?? 'unknown',
        replicas: Number(info['connected_slaves'] ?? 0),
        offset: Number(info['master_repl_offset'] ?? 0),
      };
    }),
  );
}

/** One section of a node's INFO. @throws SyncError when it does not answer within a second. */
export async function infoOf(node: FaultNode, section: string): Promise<Record<string, string>> {
  await using connection = await openNode(node, ASK_MS);
  return parseInfo(await connection.call('INFO', section));
}

/** A connection of the harness to a server, past every proxy. */
export function openNode(node: FaultNode, replyTimeoutMs = 30_000): Promise<Connection> {
  return Connection.open(node.endpoint, { name: 'redis-sync-fault', connectTimeoutMs: 2000, replyTimeoutMs });
}

function aimOf(context: FaultContext): Aim {
  if (context.where === undefined)
    throw invalid(context, 'The step does not say where', 'Add `where:` with an instance or a link.');
  return context.subjects.aim(context.where);
}

export function invalid(context: FaultContext, message: string, hint: string): SyncError {
  return new SyncError('SPEC_INVALID', `${message}.`, { where: `step ${context.step}`, hint });
}
