/** Provisions an instance as processes on this machine: one primary and n replicas on loopback ports. */
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '../../engine/connect/connection.ts';
import type { Whereabouts } from '../../engine/connect/discovery.ts';
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import { SyncError } from '../../engine/errors.ts';
import { isExisting } from '../plan/existing.ts';
import type { InstancePlan } from '../plan/plan.ts';
import { pickFreePort } from './free-port.ts';
import { parseInfo } from '../../engine/resp/reply-text.ts';
import type {
  Capability,
  ProvisionContext,
  ProvisionedInstance,
  ProvisionedNode,
  Provisioner,
} from './provisioner.ts';
import { findServerBinary, type ServerBinary } from './server-binary.ts';
import { configuredPort, listenHost, writeServerConfig } from './server-config.ts';
import { PortTaken, ServerProcess } from './server-process.ts';

const CAPABILITIES: readonly Capability[] = ['kill', 'pause', 'restart', 'config', 'write'];
const READY_TIMEOUT_MS = 30_000;
/** A free port is chosen this many times before we believe that something else is wrong. */
const PORT_ATTEMPTS = 8;

export const processProvisioner: Provisioner = {
  name: 'process',
  accepts: (plan) => !isExisting(plan),
  provision,
};

async function provision(plan: InstancePlan, context: ProvisionContext): Promise<ProvisionedInstance> {
  if (plan.kind === 'cluster' || plan.kind === 'sentinel') {
    throw new SyncError('SPEC_INVALID', `Instances of kind ${plan.kind} are not provisioned yet.`, {
      where: plan.name,
      hint: 'Use kind: standalone.',
    });
  }
  const binary = await findServerBinary({
    instance: plan.name,
    binary: plan.binary,
    version: plan.version,
    baseFolder: context.baseFolder ?? process.cwd(),
    path: (context.env ?? process.env)['PATH'] ?? '',
  });
  const servers: ServerProcess[] = [];
  try {
    const primary = await startNode({ plan, binary, context, node: 'primary' });
    servers.push(primary);
    const replicas = await startReplicas(plan, binary, context, primary);
    servers.push(...replicas.servers);
    if (replicas.failure !== undefined) throw replicas.failure;
    await Promise.all(replicas.servers.map((replica) => waitUntilInSync(plan, replica, context)));
  } catch (error) {
    await endServers(servers);
    throw error;
  }
  return new LocalInstance({ plan, binary, context }, servers);
}

/** What more servers of an instance are made from. */
interface Origin {
  plan: InstancePlan;
  binary: ServerBinary;
  context: ProvisionContext;
}

class LocalInstance implements ProvisionedInstance {
  readonly name: string;
  readonly kind: InstancePlan['kind'];
  readonly server: string;
  readonly version: string;
  readonly provisioned = true;
  readonly capabilities: ReadonlySet<Capability> = new Set(CAPABILITIES);
  readonly #servers: ServerProcess[];
  readonly #origin: Origin;

  constructor(origin: Origin, servers: ServerProcess[]) {
    const { plan, binary } = origin;
    this.name = plan.name;
    this.kind = plan.kind;
    this.server = binary.server;
    this.version = binary.version;
    this.#servers = servers;
    this.#origin = origin;
  }

  get nodes(): readonly ProvisionedNode[] {
    return this.#servers;
  }

  primary(): Endpoint {
    const [primary] = this.#servers;
    if (!primary) throw new Error('an instance has a primary');
    return primary.endpoint;
  }

  /** With replicas the primary may be another one after a failover: they are asked. */
  get whereabouts(): Whereabouts {
    const endpoints = this.#servers.map(({ endpoint }) => endpoint);
    return endpoints.length > 1 ? { kind: 'list', endpoints } : this.primary();
  }

  async addReplica({ endpoint }: Pick<ProvisionedNode, 'endpoint'>): Promise<ProvisionedNode> {
    const { plan, context } = this.#origin;
    const node = `replica-${this.#servers.length - 1}`;
    const replica = await startNode({ ...this.#origin, node, primary: endpoint });
    this.#servers.push(replica);
    await waitUntilInSync(plan, replica, context);
    return replica;
  }

  async stop(): Promise<void> {
    if (!this.#origin.context.processes.keep) await endServers(this.#servers);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Replicas first: a primary that goes first makes them log a broken link nobody should wonder about. */
async function endServers(servers: readonly ServerProcess[]): Promise<void> {
  for (const server of servers.toReversed()) await server.kill();
}

async function startReplicas(
  plan: InstancePlan,
  binary: ServerBinary,
  context: ProvisionContext,
  primary: ServerProcess,
): Promise<{ servers: ServerProcess[]; failure: unknown }> {
  const starts = Array.from({ length: plan.replicas }, (_, index) =>
    startNode({ plan, binary, context, node: `replica-${index}`, primary: primary.endpoint }),
  );
  const outcomes = await Promise.allSettled(starts);
  const servers = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  return { servers, failure: failed?.reason };
}

interface NodeStart {
  plan: InstancePlan;
  binary: ServerBinary;
  context: ProvisionContext;
  node: string;
  /** Set for a replica. */
  primary?: Endpoint;
}

/** Starts one node; a port that somebody else took first is replaced by another, unless the spec names it. */
async function startNode(start: NodeStart): Promise<ServerProcess> {
  const { plan, context, primary } = start;
  const fixed = primary ? undefined : configuredPort(plan.name, plan.config);
  for (let attempt = 1; ; attempt++) {
    const port = fixed ?? (await (context.pickPort ?? pickFreePort)());
    try {
      return await startAt(start, port);
    } catch (error) {
      if (!(error instanceof PortTaken) || fixed !== undefined || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

function startAt({ plan, binary, context, node, primary }: NodeStart, port: number): Promise<ServerProcess> {
  const folder = resolve(join(context.runFolder, 'servers', encodeURIComponent(plan.name), node));
  const password = plan.config['requirepass'];
  return ServerProcess.start({
    instance: plan.name,
    node,
    role: primary ? 'replica' : 'primary',
    binary,
    folder,
    configText: writeServerConfig({
      instance: plan.name,
      binary,
      folder,
      port,
      config: plan.config,
      ...(primary ? { primary } : {}),
    }),
    endpoint: { host: listenHost(plan.config), port, ...(password ? { password } : {}) },
    processes: context.processes,
    readyTimeoutMs: context.readyTimeoutMs ?? READY_TIMEOUT_MS,
    ...(context.signal ? { signal: context.signal } : {}),
  });
}

/** Waits for `master_link_status:up`. @throws SyncError PROVISION after the limit, ABORTED. */
export async function waitUntilInSync(
  plan: InstancePlan,
  replica: Pick<ServerProcess, 'endpoint' | 'address' | 'name' | 'logFile'>,
  context: ProvisionContext,
): Promise<void> {
  const limitMs = context.readyTimeoutMs ?? READY_TIMEOUT_MS;
  const deadline = performance.now() + limitMs;
  await using connection = await Connection.open(replica.endpoint);
  for (;;) {
    const info = parseInfo(await connection.call('INFO', 'replication'));
    if (info['master_link_status'] === 'up') return;
    if (context.signal?.aborted)
      throw new SyncError('ABORTED', 'Provisioning was interrupted.', { where: plan.name });
    if (performance.now() > deadline) {
      throw new SyncError(
        'PROVISION',
        `The replica at ${replica.address} did not get in sync within ${limitMs / 1000} s.`,
        {
          where: `${plan.name}.${replica.name}`,
          hint: `Its log says why: ${replica.logFile}`,
        },
      );
    }
    await sleep(10);
  }
}
