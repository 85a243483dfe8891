/**
 * An instance that is already there (`url`, `urls` or `sentinel` in the spec): we find it, log in, look who it is, and never
 * start, stop or configure it.
 */
import { Connection } from '../../engine/connect/connection.ts';
import { discoveryOf } from '../../engine/connect/discover.ts';
import type { Whereabouts } from '../../engine/connect/discovery.ts';
import { describeEndpoint, type Endpoint } from '../../engine/connect/endpoint.ts';
import { wordReplyError } from '../../engine/connect/reply-errors.ts';
import { asError, SyncError } from '../../engine/errors.ts';
import { ReplyError, type Reply } from '../../engine/resp/reply.ts';
import { isExisting } from '../plan/existing.ts';
import type { InstancePlan } from '../plan/plan.ts';
import { whereaboutsOf } from './endpoint-url.ts';
import { parseInfo, textOf } from '../../engine/resp/reply-text.ts';
import { productOf } from './product.ts';
import type {
  Capability,
  ProvisionContext,
  ProvisionedInstance,
  ProvisionedNode,
  Provisioner,
} from './provisioner.ts';
import { wordExistingError } from './existing-errors.ts';

const CONNECT_TIMEOUT_MS = 10_000;

export const existingProvisioner: Provisioner = {
  name: 'existing',
  accepts: (plan) => isExisting(plan),
  provision,
};

async function provision(plan: InstancePlan, context: ProvisionContext): Promise<ProvisionedInstance> {
  const baseFolder = context.baseFolder ?? process.cwd();
  const whereabouts = whereaboutsOf(plan, { baseFolder, env: context.env ?? process.env });
  const discovery = discoveryOf(whereabouts);
  let endpoint: Endpoint | undefined;
  try {
    endpoint = await discovery.locate(context.signal ? { signal: context.signal } : {});
    await using connection = await Connection.open(endpoint, {
      connectTimeoutMs: context.readyTimeoutMs ?? CONNECT_TIMEOUT_MS,
      ...(context.signal ? { signal: context.signal } : {}),
    });
    // An account without the right to PING is logged in all the same: only being let in matters here.
    const pong = await connection.tryCall('PING');
    if (pong instanceof ReplyError && pong.kind !== 'NOPERM') throw wordReplyError(pong, endpoint, 'PING');
    return new ExistingInstance(plan, { whereabouts, endpoint }, await measure(connection, plan));
  } catch (error) {
    if (context.signal?.aborted)
      throw new SyncError('ABORTED', 'Provisioning was interrupted.', { where: plan.name });
    throw wordExistingError(plan, { endpoint, text: discovery.describe() }, asError(error));
  }
}

interface Measured {
  server: string;
  version: string;
  role: 'primary' | 'replica';
  capabilities: ReadonlySet<Capability>;
}

/** What the account may see; what it may not stays unknown (empty), and the prechecks say so. */
async function measure(connection: Connection, plan: InstancePlan): Promise<Measured> {
  const [info = null, role = null, config = null] = await connection.pipeline([
    ['INFO', 'server'],
    ['ROLE'],
    ['CONFIG', 'GET', 'maxmemory'],
  ]);
  const fields = parseInfo(info);
  const capabilities = new Set<Capability>();
  if (plan.disposable) {
    capabilities.add('write');
    if (!(config instanceof ReplyError)) capabilities.add('config');
  }
  const product = 'redis_version' in fields ? productOf(fields) : { server: '', version: '' };
  return { ...product, role: isReplica(role) ? 'replica' : 'primary', capabilities };
}

function isReplica(role: Reply): boolean {
  return Array.isArray(role) && textOf(role[0]) === 'slave';
}

class ExistingInstance implements ProvisionedInstance {
  readonly name: string;
  readonly kind: InstancePlan['kind'];
  readonly server: string;
  readonly version: string;
  readonly provisioned = false;
  readonly nodes: readonly ProvisionedNode[];
  readonly capabilities: ReadonlySet<Capability>;
  readonly whereabouts: Whereabouts;
  readonly #endpoint: Endpoint;

  constructor(
    plan: InstancePlan,
    { whereabouts, endpoint }: { whereabouts: Whereabouts; endpoint: Endpoint },
    measured: Measured,
  ) {
    this.name = plan.name;
    this.kind = plan.kind;
    this.server = measured.server;
    this.version = measured.version;
    this.capabilities = measured.capabilities;
    this.whereabouts = whereabouts;
    this.#endpoint = endpoint;
    this.nodes = [{ name: 'primary', role: measured.role, endpoint, address: describeEndpoint(endpoint) }];
  }

  primary(): Endpoint {
    return this.#endpoint;
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
