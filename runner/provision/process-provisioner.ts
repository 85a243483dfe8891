/** Provisions an instance as processes on this machine: one primary and n replicas on loopback ports. */
import { isExisting } from '../plan/existing.ts';
import type { InstancePlan } from '../plan/plan.ts';
import { LocalInstance } from './local-instance.ts';
import type { ProvisionContext, ProvisionedInstance, Provisioner } from './provisioner.ts';
import type { ServerBinary } from './server-binary.ts';
import type { ServerProcess } from './server-process.ts';
import { binaryOf, endServers, startAll, startNode, waitUntilInSync, type NodeStart } from './start-node.ts';

export const processProvisioner: Provisioner = {
  name: 'process',
  accepts: (plan) => !isExisting(plan) && (plan.kind === 'standalone' || plan.kind === 'codis-group'),
  provision,
};

async function provision(plan: InstancePlan, context: ProvisionContext): Promise<ProvisionedInstance> {
  const binary = await binaryOf(plan, context);
  const servers = await startReplicated(plan, binary, context);
  return new LocalInstance({
    plan,
    binary,
    servers,
    // With replicas the primary may be another one after a failover: they are asked.
    whereabouts: (endpoints) => {
      const [only] = endpoints;
      return endpoints.length === 1 && only !== undefined ? only : { kind: 'list', endpoints };
    },
    startReplica: (node, primary) => addReplica({ plan, binary, context, node, primary }),
    keep: context.processes.keep,
  });
}

/** One more replica, in sync. */
export async function addReplica(start: NodeStart): Promise<ServerProcess> {
  const replica = await startNode(start);
  await waitUntilInSync(start.plan, replica, start.context);
  return replica;
}

/** A primary and its replicas, in sync. @throws SyncError, when no process is left. */
export async function startReplicated(
  plan: InstancePlan,
  binary: ServerBinary,
  context: ProvisionContext,
): Promise<ServerProcess[]> {
  const primary = await startNode({ plan, binary, context, node: 'primary', mayHaveFixedPort: true });
  const servers = [primary];
  try {
    const starts = Array.from({ length: plan.replicas }, (_, index) =>
      startNode({ plan, binary, context, node: `replica-${index}`, primary: primary.endpoint }),
    );
    servers.push(...(await startAll(starts)));
    await Promise.all(servers.slice(1).map((replica) => waitUntilInSync(plan, replica, context)));
    return servers;
  } catch (error) {
    await endServers(servers);
    throw error;
  }
}
