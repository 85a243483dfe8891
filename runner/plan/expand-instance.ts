/** One instance of a spec as the plan has it: defaults filled in, secrets as references. File names stay relative to the spec. */
import assert from 'node:assert/strict';
import type { TlsOptions } from '../../engine/connect/endpoint.ts';
import { parseEndpointUrl, SENTINEL_PORT, type EndpointUrl } from '../spec/endpoint-url.ts';
import { parseSecretReference } from '../spec/secrets.ts';
import type { Instance } from '../spec/spec.generated.ts';
import { DEFAULT_SENTINELS, DEFAULT_SHARDS, replicasOf } from './defaults.ts';
import { isExisting } from './existing.ts';
import type { InstancePlan, SentinelPlan } from './plan.ts';
import { read } from './written.ts';

export function expandInstance(name: string, instance: Instance): InstancePlan {
  const config = Object.entries(instance.config ?? {}).map(
    ([key, value]) => [key, directiveText(value)] as const,
  );
  const kind = instance.kind ?? 'standalone';
  const plan: InstancePlan = {
    name,
    kind,
    version: instance.version === undefined ? '' : String(instance.version),
    ...(instance.provider === 'container' && { image: instance.image ?? '' }),
    binary: instance.binary ?? '',
    replicas: replicasOf(instance),
    shards: kind === 'cluster' ? (instance.shards ?? DEFAULT_SHARDS) : 1,
    sentinels: kind === 'sentinel' ? (instance.sentinels ?? DEFAULT_SENTINELS) : 0,
    config: Object.fromEntries(config),
    // What is provisioned for the run is thrown away with it.
    disposable: !isExisting(instance) || (instance.disposable ?? false),
    capabilities: { ...instance.capabilities },
  };
  if (!isExisting(instance)) return instance.tls === true ? { ...plan, ownTls: true } : plan;
  return { ...plan, ...expandPlace(instance), ...expandLogin(instance) };
}

/** Where it is, and by TLS or not. */
function expandPlace(instance: Instance): Partial<InstancePlan> {
  const tls = typeof instance.tls === 'object' ? expandTls(instance.tls) : undefined;
  if (instance.sentinel !== undefined) {
    return { sentinel: expandSentinel(instance.sentinel), ...(tls && { tls }) };
  }
  const endpoints = (instance.urls ?? [instance.url ?? '']).map((url) =>
    read(url, (text) => parseEndpointUrl(text)),
  );
  const [first] = endpoints;
  assert(first, 'a valid list has an address');
  const username = instance.username ?? first.username;
  const urls = endpoints.map(urlText);
  return {
    ...(instance.urls === undefined ? { url: urlText(first) } : { urls }),
    ...(username === undefined ? {} : { username }),
    ...(first.tls ? { tls: tls ?? {} } : {}),
  };
}

function expandSentinel({ name, nodes, ...login }: NonNullable<Instance['sentinel']>): SentinelPlan {
  const urls = nodes.map((node) => urlText(read(node, (text) => parseEndpointUrl(text, SENTINEL_PORT))));
  return { name, nodes: urls, ...expandLogin(login) };
}

interface Login {
  username?: string;
  password?: string;
  passwordFile?: string;
}

interface LoginPlan {
  username?: string;
  passwordEnv?: string;
  passwordFile?: string;
}

function expandLogin({ username, password, passwordFile }: Login): LoginPlan {
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { passwordEnv: read(password, parseSecretReference).variable }),
    ...(passwordFile === undefined ? {} : { passwordFile }),
  };
}

/** Without the user name, which the plan has apart. */
function urlText(endpoint: EndpointUrl): string {
  assert(endpoint.host !== '');
  const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host;
  return `${endpoint.tls ? 'rediss' : 'redis'}://${host}:${endpoint.port}`;
}

function expandTls(tls: Exclude<Instance['tls'], boolean | undefined>): TlsOptions {
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
