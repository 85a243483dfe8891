/** Provisions an instance as processes on this machine: one primary and n replicas on loopback ports. */
import { isExisting } from '../plan/existing.ts';
import type { InstancePlan } from '../plan/plan.ts';
import { LocalInstance } from './local-instance.ts';
import { makeOwnCertificates, type OwnCertificates } from './own-certificates.ts';
import type { ProvisionContext, ProvisionedInstance, Provisioner } from './provisioner.ts';
import type { ServerBinary } from './server-binary.ts';
import { listenHost } from './server-config.ts';
import type { ServerProcess } from './server-process.ts';
import {
  binaryOf,
  endServers,
  folderOf,
  startAll,
  startNode,
  waitUntilInSync,
  type NodeStart,
} from './start-node.ts';

export const processProvisioner: Provisioner = {
  name: 'process',
  accepts: (plan) => !isExisting(plan) && (plan.kind === 'standalone' || plan.kind === 'codis-group'),
  provision,
};

async function provision(plan: InstancePlan, context: ProvisionContext): Promise<ProvisionedInstance> {
  const binary = await binaryOf(plan, context);
  const certificates = await certificatesOf(plan, context);
  const servers = await startReplicated(plan, binary, context, certificates);
  return new LocalInstance({
    plan,
    binary,
    servers,
    // With replicas the primary may be another one after a failover: they are asked.
    whereabouts: (endpoints) => {
      const [only] = endpoints;
      return endpoints.length === 1 && only !== undefined ? only : { kind: 'list', endpoints };
    },
    startReplica: (node, primary) => addReplica({ plan, binary, context, node, primary, certificates }),
    keep: context.processes.keep,
  });
}

async function certificatesOf(
  plan: InstancePlan,
  context: ProvisionContext,
): Promise<OwnCertificates | undefined> {
  if (plan.ownTls === undefined) return undefined;
  return makeOwnCertificates({
    instance: plan.name,
    folder: folderOf(plan, context, 'certificates'),
    host: listenHost(plan.config),
    env: context.env ?? process.env,
    signal: context.signal,
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
  certificates?: OwnCertificates,
): Promise<ServerProcess[]> {
  const all = { plan, binary, context, certificates };
  const primary = await startNode({ ...all, node: 'primary', mayHaveFixedPort: true });
  const servers = [primary];
  try {
    const starts = Array.from({ length: plan.replicas }, (_, index) =>
      startNode({ ...all, node: `replica-${index}`, primary: primary.endpoint }),
    );
    servers.push(...(await startAll(starts)));
    await Promise.all(servers.slice(1).map((replica) => waitUntilInSync(plan, replica, context)));
    return servers;
  } catch (error) {
    await endServers(servers);
    throw error;
  }
}
