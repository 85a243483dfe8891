/** Provisions a primary with replicas and the Sentinels that watch it, all of them processes on this machine. */
import { Connection } from '../../engine/connect/connection.ts';
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import { textOf } from '../../engine/resp/reply-text.ts';
import { isExisting } from '../plan/existing.ts';
import type { InstancePlan } from '../plan/plan.ts';
import { LocalInstance } from './local-instance.ts';
import { addReplica, startReplicated } from './process-provisioner.ts';
import type { ProvisionContext, ProvisionedInstance, Provisioner } from './provisioner.ts';
import type { ServerBinary } from './server-binary.ts';
import { listenHost } from './server-config.ts';
import { ServerProcess } from './server-process.ts';
import {
  binaryOf,
  endServers,
  folderOf,
  readyTimeoutMs,
  startAll,
  waitFor,
  withFreePort,
} from './start-node.ts';

/** How long a silent primary is waited for; short, because a rehearsal waits with it. */
const DOWN_AFTER_MS = 2000;
const FAILOVER_TIMEOUT_MS = 10_000;

export const sentinelProvisioner: Provisioner = {
  name: 'sentinel',
  accepts: (plan) => !isExisting(plan) && plan.kind === 'sentinel',
  provision,
};

async function provision(plan: InstancePlan, context: ProvisionContext): Promise<ProvisionedInstance> {
  const binary = await binaryOf(plan, context);
  const servers = await startReplicated(plan, binary, context);
  const sentinels: ServerProcess[] = [];
  try {
    const [primary] = servers;
    const starts = Array.from({ length: primary === undefined ? 0 : plan.sentinels }, (_, index) =>
      startSentinel({ plan, binary, context, node: `sentinel-${index}`, primary: primary?.endpoint }),
    );
    sentinels.push(...(await startAll(starts)));
    await waitFor(context, plan, () => notWatching(plan, sentinels));
  } catch (error) {
    await endServers([...servers, ...sentinels]);
    throw error;
  }
  const password = plan.config['requirepass'];
  return new LocalInstance({
    plan,
    binary,
    servers,
    attendants: sentinels,
    whereabouts: () => ({
      kind: 'sentinel',
      name: plan.name,
      sentinels: sentinels.map(({ endpoint }) => endpoint),
      login: password === undefined ? {} : { password },
    }),
    startReplica: (node, primary) => addReplica({ plan, binary, context, node, primary }),
    keep: context.processes.keep,
  });
}

interface SentinelStart {
  plan: InstancePlan;
  binary: ServerBinary;
  context: ProvisionContext;
  node: string;
  primary: Endpoint | undefined;
}

function startSentinel({ plan, binary, context, node, primary }: SentinelStart): Promise<ServerProcess> {
  const folder = folderOf(plan, context, node);
  return withFreePort(context, (port) =>
    ServerProcess.start({
      instance: plan.name,
      node,
      role: 'sentinel',
      binary,
      folder,
      configText: sentinelConfig(plan, primary, { folder, port }),
      endpoint: { host: listenHost(plan.config), port },
      processes: context.processes,
      readyTimeoutMs: readyTimeoutMs(context),
      ...(context.signal ? { signal: context.signal } : {}),
    }),
  );
}

/** A Sentinel writes what it learns into its own configuration file. */
function sentinelConfig(
  { name, sentinels, config }: InstancePlan,
  primary: Endpoint | undefined,
  { folder, port }: { folder: string; port: number },
): string {
  const password = config['requirepass'];
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir "${folder}"`,
    `sentinel monitor ${name} ${primary?.host ?? ''} ${primary?.port ?? ''} ${Math.floor(sentinels / 2) + 1}`,
    ...(password === undefined
      ? []
      : [`sentinel auth-pass ${name} "${password.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`]),
    `sentinel down-after-milliseconds ${name} ${DOWN_AFTER_MS}`,
    `sentinel failover-timeout ${name} ${FAILOVER_TIMEOUT_MS}`,
    `sentinel parallel-syncs ${name} 1`,
  ];
  return `${lines.join('\n')}\n`;
}

/** Each must know the others and every replica: before that there is no majority, or nobody to promote. */
async function notWatching(
  { name, replicas }: InstancePlan,
  sentinels: readonly ServerProcess[],
): Promise<string | undefined> {
  for (const sentinel of sentinels) {
    await using connection = await Connection.open(sentinel.endpoint);
    const reply = await connection.call('SENTINEL', 'MASTER', name);
    const words = Array.isArray(reply) ? reply.map(textOf) : [];
    const fieldOf = (field: string): string => words[words.indexOf(field) + 1] ?? '';
    const others = Number(fieldOf('num-other-sentinels'));
    const known = Number(fieldOf('num-slaves'));
    if (others !== sentinels.length - 1 || known !== replicas || fieldOf('flags') !== 'master')
      return `${sentinel.name} at ${sentinel.address} knew ${others} other Sentinels and ${known} of ${replicas} replicas (${fieldOf('flags')})`;
  }
  return undefined;
}
