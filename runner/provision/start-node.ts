/** Starts one node of a provisioned instance on a free loopback port, in a folder of its own. */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '../../engine/connect/connection.ts';
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import { SyncError } from '../../engine/errors.ts';
import { parseInfo } from '../../engine/resp/reply-text.ts';
import type { InstancePlan } from '../plan/plan.ts';
import { pickFreePort } from './free-port.ts';
import type { OwnCertificates } from './own-certificates.ts';
import type { ProvisionContext, ProvisionedNode } from './provisioner.ts';
import { findServerBinary, type ServerBinary } from './server-binary.ts';
import { findClockLibrary, missingClockLibrary, MovableClock } from './movable-clock.ts';
import { configuredPort, listenHost, writeServerConfig } from './server-config.ts';
import { PortTaken, ServerProcess } from './server-process.ts';

const READY_TIMEOUT_MS = 30_000;
const POLL_MS = 10;
/** A free port is chosen this many times before we believe that something else is wrong. */
const PORT_ATTEMPTS = 8;
/** First version whose cluster bus may be at any port; before, it is 10000 above the server's. */
const BUS_PORT_SINCE = 7;
const LOW_PORT_MAX = 55_535;

export interface NodeStart {
  plan: InstancePlan;
  binary: ServerBinary;
  context: ProvisionContext;
  /** Names its folder and, behind the instance, the node. */
  node: string;
  /** Set for a replica that is one from its first moment on. */
  primary?: Endpoint;
  role?: 'primary' | 'replica';
  /** It speaks TLS. */
  certificates?: OwnCertificates | undefined;
  /** A node of a cluster. */
  cluster?: true;
  /** The port may be the one that the spec asks for. */
  mayHaveFixedPort?: true;
}

/** The server program of an instance. @throws SyncError as findServerBinary. */
export function binaryOf(plan: InstancePlan, context: ProvisionContext): Promise<ServerBinary> {
  return findServerBinary({
    instance: plan.name,
    binary: plan.binary,
    version: plan.version,
    baseFolder: context.baseFolder ?? process.cwd(),
    path: (context.env ?? process.env)['PATH'] ?? '',
  });
}

/** A port that somebody else took first is replaced by another, unless the spec names it. @throws SyncError. */
export async function startNode(start: NodeStart): Promise<ServerProcess> {
  const { plan, context, mayHaveFixedPort } = start;
  const fixed = mayHaveFixedPort === true ? configuredPort(plan.name, plan.config) : undefined;
  const needsRoomAbove = start.cluster === true && Number.parseInt(start.binary.version, 10) < BUS_PORT_SINCE;
  return withFreePort(
    needsRoomAbove ? { ...context, pickPort: pickLowPort } : context,
    (port) => startAt(start, port),
    fixed,
  );
}

/** Tries port after port until `work` gets hold of one. */
export async function withFreePort<Result>(
  context: ProvisionContext,
  work: (port: number) => Promise<Result>,
  fixed?: number,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    const port = fixed ?? (await (context.pickPort ?? pickFreePort)());
    try {
      return await work(port);
    } catch (error) {
      if (!(error instanceof PortTaken) || fixed !== undefined || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

/** A free port with another one 10000 above it. The system gives them from a range of which most are low enough. */
async function pickLowPort(): Promise<number> {
  for (;;) {
    const port = await pickFreePort();
    if (port <= LOW_PORT_MAX) return port;
  }
}

/** Starts all of them at once. @throws the first failure, after the others were ended. */
export async function startAll(starts: readonly Promise<ServerProcess>[]): Promise<ServerProcess[]> {
  const outcomes = await Promise.allSettled(starts);
  const servers = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed === undefined) return servers;
  await endServers(servers);
  throw failed.reason;
}

/** Replicas first: a primary that goes first makes them log a broken link nobody should wonder about. */
export async function endServers(servers: readonly ServerProcess[]): Promise<void> {
  for (const server of servers.toReversed()) await server.kill();
}

/** `<runFolder>/servers/<instance>/<node>`. */
export function folderOf(plan: InstancePlan, context: ProvisionContext, node: string): string {
  return resolve(join(context.runFolder, 'servers', encodeURIComponent(plan.name), node));
}

export function readyTimeoutMs(context: ProvisionContext): number {
  return context.readyTimeoutMs ?? READY_TIMEOUT_MS;
}

async function startAt(start: NodeStart, port: number): Promise<ServerProcess> {
  const { plan, binary, context, node, primary, certificates, role = 'primary', cluster } = start;
  const folder = folderOf(plan, context, node);
  const password = plan.config['requirepass'];
  const clock = clockOf(plan, context, folder);
  const hasBusPort = cluster === true && Number.parseInt(binary.version, 10) >= BUS_PORT_SINCE;
  const busPort = hasBusPort ? await (context.pickPort ?? pickFreePort)() : undefined;
  return ServerProcess.start({
    instance: plan.name,
    node,
    role: primary === undefined ? role : 'replica',
    binary,
    folder,
    configText: writeServerConfig({
      instance: plan.name,
      binary,
      folder,
      port,
      config: plan.config,
      ...(primary ? { primary } : {}),
      ...(certificates ? { certificates } : {}),
      ...(cluster === true ? { cluster: busPort === undefined ? {} : { busPort } } : {}),
    }),
    endpoint: {
      host: listenHost(plan.config),
      port,
      ...(password ? { password } : {}),
      ...(certificates ? { tls: { caFile: certificates.caFile } } : {}),
    },
    ...(certificates ? { certificates } : {}),
    ...(busPort === undefined ? {} : { busPort }),
    ...(clock === undefined ? {} : { clock }),
    processes: context.processes,
    readyTimeoutMs: readyTimeoutMs(context),
    ...(context.signal ? { signal: context.signal } : {}),
  });
}

/** @throws SyncError PROVISION when it is to have one and cannot. */
function clockOf(plan: InstancePlan, context: ProvisionContext, folder: string): MovableClock | undefined {
  if (plan.movableClock === undefined) return undefined;
  const env = context.env ?? process.env;
  const library = findClockLibrary(env);
  if (library === undefined) throw missingClockLibrary([plan], env) ?? new SyncError('INTERNAL', 'No clock.');
  mkdirSync(folder, { recursive: true });
  return new MovableClock(library, folder);
}

/** Waits for `master_link_status:up`. @throws SyncError PROVISION after the limit, ABORTED. */
export async function waitUntilInSync(
  plan: InstancePlan,
  replica: Pick<ProvisionedNode, 'endpoint' | 'address' | 'logFile'>,
  context: ProvisionContext,
): Promise<void> {
  await using connection = await Connection.open(replica.endpoint);
  const missing = async (): Promise<string | undefined> => {
    const info = parseInfo(await connection.call('INFO', 'replication'));
    return info['master_link_status'] === 'up'
      ? undefined
      : `The replica at ${replica.address} did not get in sync`;
  };
  await waitFor(context, plan, missing, `Its log says why: ${replica.logFile ?? ''}`);
}

/**
 * Asks until there is nothing that is not yet so.
 *
 * @param missing what is still missing, in words; undefined when nothing is.
 * @throws SyncError PROVISION after the limit, with the last answer; ABORTED.
 */
export async function waitFor(
  context: ProvisionContext,
  plan: InstancePlan,
  missing: () => Promise<string | undefined>,
  hint?: string,
): Promise<void> {
  const limitMs = readyTimeoutMs(context);
  const deadline = performance.now() + limitMs;
  for (;;) {
    const why = await missing();
    if (why === undefined) return;
    if (context.signal?.aborted)
      throw new SyncError('ABORTED', 'Provisioning was interrupted.', { where: plan.name });
    if (performance.now() > deadline) {
      throw new SyncError('PROVISION', `${why} within ${limitMs / 1000} s.`, {
        where: plan.name,
        ...(hint === undefined ? {} : { hint }),
      });
    }
    await sleep(POLL_MS);
  }
}
