/** One instance of a spec as the plan has it: defaults filled in, secrets as references. File names stay relative to the spec. */
import assert from 'node:assert/strict';
import type { TlsOptions } from '../../engine/connect/endpoint.ts';
import { parseEndpointUrl, type EndpointUrl } from '../spec/endpoint-url.ts';
import { parseSecretReference } from '../spec/secrets.ts';
import type { Instance } from '../spec/spec.generated.ts';
import type { InstancePlan } from './plan.ts';
import { read } from './written.ts';

export function expandInstance(name: string, instance: Instance): InstancePlan {
  const config = Object.entries(instance.config ?? {}).map(
    ([key, value]) => [key, directiveText(value)] as const,
  );
  const plan: InstancePlan = {
    name,
    kind: instance.kind ?? 'standalone',
    version: instance.version === undefined ? '' : String(instance.version),
    binary: instance.binary ?? '',
    replicas: instance.replicas ?? 0,
    config: Object.fromEntries(config),
    // What is provisioned for the run is thrown away with it.
    disposable: instance.url === undefined || (instance.disposable ?? false),
    capabilities: { ...instance.capabilities },
  };
  return instance.url === undefined ? plan : { ...plan, ...expandEndpoint(instance, instance.url) };
}

function expandEndpoint(instance: Instance, url: string): Partial<InstancePlan> {
  const endpoint = read(url, parseEndpointUrl);
  const username = instance.username ?? endpoint.username;
  const endpointPlan: Partial<InstancePlan> = { url: urlText(endpoint) };
  if (username !== undefined) endpointPlan.username = username;
  if (instance.password !== undefined)
    endpointPlan.passwordEnv = read(instance.password, parseSecretReference).variable;
  if (instance.passwordFile !== undefined) endpointPlan.passwordFile = instance.passwordFile;
  if (endpoint.tls) endpointPlan.tls = expandTls(instance.tls ?? {});
  return endpointPlan;
}

/** Without the user name, which the plan has apart. */
function urlText(endpoint: EndpointUrl): string {
  assert(endpoint.host !== '');
  const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host;
  return `${endpoint.tls ? 'rediss' : 'redis'}://${host}:${endpoint.port}`;
}

function expandTls(tls: NonNullable<Instance['tls']>): TlsOptions {
  const { ca, cert, key, ...same } = tls;
  const plan: TlsOptions = { ...same };
  if (ca !== undefined) plan.caFile = ca;
  if (cert !== undefined) plan.certFile = cert;
  if (key !== undefined) plan.keyFile = key;
  return plan;
}

/** redis.conf says yes and no. */
function directiveText(value: string | number | boolean): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return String(value);
}
