/**
 * Provisions a cluster as processes on this machine: n primaries that share the slots evenly, m replicas of each.
 *
 *   start all nodes ─▶ slots and epochs ─▶ every pair meets ─▶ replicas choose ─▶ every node said cluster_state:ok
 */
import { Connection } from '../../engine/connect/connection.ts';
import { readTopology } from '../../engine/connect/cluster-topology.ts';
import { SLOTS } from '../../engine/keys/cluster-slot.ts';
import { parseInfo, textOf } from '../../engine/resp/reply-text.ts';
import { isExisting } from '../plan/existing.ts';
import type { InstancePlan } from '../plan/plan.ts';
import { LocalInstance } from './local-instance.ts';
import type { ProvisionContext, ProvisionedInstance, Provisioner } from './provisioner.ts';
import type { ServerProcess } from './server-process.ts';
import { binaryOf, endServers, startAll, startNode, waitFor, waitUntilInSync } from './start-node.ts';

export const clusterProvisioner: Provisioner = {
  name: 'cluster',
  accepts: (plan) => !isExisting(plan) && plan.kind === 'cluster',
  provision,
};

interface ClusterMember {
  server: ServerProcess;
  connection: Connection;
  id: string;
  shard: number;
}

async function provision(plan: InstancePlan, context: ProvisionContext): Promise<ProvisionedInstance> {
  const binary = await binaryOf(plan, context);
  const starts = namesOf(plan).map(({ node, role }) =>
    startNode({ plan, binary, context, node, role, cluster: true }),
  );
  const servers = await startAll(starts);
  try {
    await form(plan, servers, context);
  } catch (error) {
    await endServers(servers);
    throw error;
  }
  return new LocalInstance({
    plan,
    binary,
    servers,
    whereabouts: (seeds) => ({ kind: 'cluster', seeds }),
    keep: context.processes.keep,
  });
}

/** The primaries first: `shard-0`, `shard-1` …, then `shard-0-replica-0` … */
function namesOf({ shards, replicas }: InstancePlan): { node: string; role: 'primary' | 'replica' }[] {
  const all = Array.from({ length: shards }, (_, shard) => shard);
  return [
    ...all.map((shard) => ({ node: `shard-${shard}`, role: 'primary' as const })),
    ...all.flatMap((shard) =>
      Array.from({ length: replicas }, (_, replica) => ({
        node: `shard-${shard}-replica-${replica}`,
        role: 'replica' as const,
      })),
    ),
  ];
}

async function form(
  plan: InstancePlan,
  servers: readonly ServerProcess[],
  context: ProvisionContext,
): Promise<void> {
  const members: ClusterMember[] = [];
  try {
    for (const [index, server] of servers.entries()) {
      const connection = await Connection.open(server.endpoint, { name: 'redis-sync-provision' });
      const shard =
        index < plan.shards ? index : Math.floor((index - plan.shards) / Math.max(1, plan.replicas));
      members.push({ server, connection, shard, id: textOf(await connection.call('CLUSTER', 'MYID')) });
    }
    const primaries = members.slice(0, plan.shards);
    for (const { connection, shard } of primaries) await giveSlots(connection, shard, plan.shards);
    await meet(members);
    await waitFor(context, plan, () => strangers(members));
    for (const replica of members.slice(plan.shards))
      await replica.connection.call('CLUSTER', 'REPLICATE', primaries[replica.shard]?.id ?? '');
    await waitFor(context, plan, () => notReady(members, plan));
    await Promise.all(members.slice(plan.shards).map(({ server }) => waitUntilInSync(plan, server, context)));
  } finally {
    await Promise.all(members.map(({ connection }) => connection.close()));
  }
}

async function giveSlots(connection: Connection, shard: number, shards: number): Promise<void> {
  const first = Math.floor((shard * SLOTS) / shards);
  const last = Math.floor(((shard + 1) * SLOTS) / shards) - 1;
  // ADDSLOTSRANGE is of 7.0.
  const slots = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  await connection.call('CLUSTER', 'ADDSLOTS', ...slots);
  // Equal epochs would first have to be sorted out by the nodes themselves.
  await connection.call('CLUSTER', 'SET-CONFIG-EPOCH', shard + 1);
}

/** Each with each: waiting for the gossip to get round takes seconds. */
async function meet(members: readonly ClusterMember[]): Promise<void> {
  for (const [index, { connection }] of members.entries()) {
    for (const { server } of members.slice(index + 1)) {
      const { host, port } = server.endpoint;
      const bus = server.busPort;
      await connection.call('CLUSTER', 'MEET', host, port, ...(bus === undefined ? [] : [bus]));
    }
  }
}

async function strangers(members: readonly ClusterMember[]): Promise<string | undefined> {
  for (const { connection, server } of members) {
    const info = parseInfo(await connection.call('CLUSTER', 'INFO'));
    const known = Number(info['cluster_known_nodes']);
    if (known !== members.length || /handshake/.test(textOf(await connection.call('CLUSTER', 'NODES'))))
      return `${server.name} at ${server.address} knew only ${known} of ${members.length} nodes`;
  }
  return undefined;
}

/** Every node must see every slot served, and every replica where it belongs. */
async function notReady(
  members: readonly ClusterMember[],
  { shards, replicas }: InstancePlan,
): Promise<string | undefined> {
  for (const { connection, server } of members) {
    const info = parseInfo(await connection.call('CLUSTER', 'INFO'));
    if (info['cluster_state'] !== 'ok' || info['cluster_slots_ok'] !== String(SLOTS)) {
      return `${server.name} at ${server.address} said cluster_state:${info['cluster_state'] ?? '?'}, ${info['cluster_slots_ok'] ?? '?'} slots ok`;
    }
    const topology = await readTopology(connection);
    const complete = topology.shards.filter((shard) => shard.replicas.length === replicas);
    if (topology.shards.length !== shards || complete.length !== shards)
      return `${server.name} at ${server.address} saw ${complete.length} of ${shards} shards complete`;
  }
  return undefined;
}
