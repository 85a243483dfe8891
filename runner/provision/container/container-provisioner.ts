/** Provisions an instance as containers: a primary and its replicas, each in one, all of one image. */
import { basename, join, resolve } from 'node:path';
import type { Endpoint } from '../../../engine/connect/endpoint.ts';
import { SyncError } from '../../../engine/errors.ts';
import type { InstancePlan } from '../../plan/plan.ts';
import { pickFreePort } from '../free-port.ts';
import { isAlive, readStartTime } from '../process-identity.mjs';
import type {
  Capability,
  ProvisionContext,
  ProvisionedInstance,
  ProvisionedNode,
  Provisioner,
} from '../provisioner.ts';
import { waitUntilInSync } from '../start-node.ts';
import { parseVersionOutput, versionFits } from '../server-binary.ts';
import { configuredPort, listenHost, writeServerConfig } from '../server-config.ts';
import { PortTaken } from '../server-process.ts';
import { ContainerServer } from './container-server.ts';
import { ContainerEngine } from './engine-client.ts';

const CAPABILITIES: readonly Capability[] = ['kill', 'pause', 'restart', 'config', 'write'];
const READY_TIMEOUT_MS = 30_000;
/** A free port is chosen this many times before we believe that something else is wrong. */
const PORT_ATTEMPTS = 8;
/** On every container of ours: pid and start time of the runner that started it. */
const LABEL = 'redis-sync.runner';
/** On those that are to outlive their runner. */
const KEPT_LABEL = 'redis-sync.kept';

export const containerProvisioner: Provisioner = {
  name: 'container',
  accepts: (plan) => plan.image !== undefined,
  provision,
};

let inspections = 0;

interface Program {
  path: string;
  server: string;
  version: string;
}

async function provision(plan: InstancePlan, context: ProvisionContext): Promise<ProvisionedInstance> {
  const engine = await ContainerEngine.open(context.env ?? process.env);
  await reap(engine);
  const image = plan.image ?? '';
  await engine.provide(image);
  const program = await inspectImage(engine, plan, image, context);
  const servers: ContainerServer[] = [];
  const start = (node: string, primary?: Endpoint): Promise<ContainerServer> =>
    startNode({ engine, image, plan, program, context, node, ...(primary && { primary }) });
  try {
    const primary = await start('primary');
    servers.push(primary);
    // One after the other: each waits for a snapshot of the same primary anyway.
    for (let index = 0; index < plan.replicas; index++)
      servers.push(await start(`replica-${index}`, primary.endpoint));
    for (const replica of servers.slice(1)) await waitUntilInSync(plan, replica, context);
  } catch (error) {
    await endServers(servers);
    throw error;
  }
  return new ContainerInstance(plan, program, servers, context.processes.keep);
}

class ContainerInstance implements ProvisionedInstance {
  readonly name: string;
  readonly kind: InstancePlan['kind'];
  readonly server: string;
  readonly version: string;
  readonly provisioned = true;
  readonly capabilities: ReadonlySet<Capability> = new Set(CAPABILITIES);
  readonly #servers: readonly ContainerServer[];
  readonly #keep: boolean;

  constructor(plan: InstancePlan, program: Program, servers: readonly ContainerServer[], keep: boolean) {
    this.name = plan.name;
    this.kind = plan.kind;
    this.server = program.server;
    this.version = program.version;
    this.#servers = servers;
    this.#keep = keep;
  }

  get nodes(): readonly ProvisionedNode[] {
    return this.#servers;
  }

  primary(): Endpoint {
    const [primary] = this.#servers;
    if (!primary) throw new Error('an instance has a primary');
    return primary.endpoint;
  }

  async stop(): Promise<void> {
    if (!this.#keep) await endServers(this.#servers);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

async function endServers(servers: readonly ContainerServer[]): Promise<void> {
  for (const server of servers.toReversed()) await server.kill();
}

interface NodeStart {
  engine: ContainerEngine;
  image: string;
  plan: InstancePlan;
  program: Program;
  context: ProvisionContext;
  node: string;
  primary?: Endpoint;
}

/** A port that somebody else took first is replaced by another, unless the spec names it. */
async function startNode(start: NodeStart): Promise<ContainerServer> {
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

function startAt(
  { engine, image, plan, program, context, node, primary }: NodeStart,
  port: number,
): Promise<ContainerServer> {
  const folder = resolve(join(context.runFolder, 'servers', encodeURIComponent(plan.name), node));
  const password = plan.config['requirepass'];
  const { keep } = context.processes;
  return ContainerServer.start({
    engine,
    image,
    program: program.path,
    labels: {
      [LABEL]: `${process.pid} ${readStartTime(process.pid) ?? ''}`,
      ...(keep ? { [KEPT_LABEL]: 'yes' } : {}),
    },
    instance: plan.name,
    node,
    role: primary ? 'replica' : 'primary',
    folder,
    configText: writeServerConfig({
      instance: plan.name,
      binary: program,
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

/** Removes what runners left behind that are gone: of a killed one nobody else knows. */
async function reap(engine: ContainerEngine): Promise<void> {
  for (const { id, labels } of await engine.labelled(LABEL)) {
    const [pid = '', ...startTime] = (labels[LABEL] ?? '').split(' ');
    const isOwned = isAlive({ pid: Number(pid), startTime: startTime.join(' ') });
    if (!isOwned && labels[KEPT_LABEL] === undefined) await engine.remove(id);
  }
}

/** Which server an image has: the spec's `binary`, or what its name suggests. @throws SyncError PROVISION. */
async function inspectImage(
  engine: ContainerEngine,
  plan: InstancePlan,
  image: string,
  context: ProvisionContext,
): Promise<Program> {
  const known = ['valkey', 'keydb'].find((name) => basename(image).includes(name)) ?? 'redis';
  const path = plan.binary === '' ? `${known}-server` : plan.binary;
  const id = await engine.run({
    name: `redis-sync-version-${process.pid}-${plan.name}-${++inspections}`,
    image,
    command: [path, '--version'],
    labels: { [LABEL]: `${process.pid} ${readStartTime(process.pid) ?? ''}` },
    user: '0:0',
  });
  const output = await engine.output(id);
  await engine.remove(id);
  context.signal?.throwIfAborted();
  const found = parseVersionOutput(output);
  if (found !== undefined && versionFits(found.version, plan.version)) return { path, ...found };
  const what =
    found === undefined
      ? `${path} --version says ${JSON.stringify(output.slice(0, 200))}`
      : `it has ${found.server} ${found.version}, and the spec wants version ${plan.version}`;
  throw new SyncError('PROVISION', `The image ${image} does not fit: ${what}.`, {
    where: plan.name,
    hint: 'Correct `image` of the instance, `version`, or `binary` (the server program inside the image).',
  });
}
