/** Turns an instance's `url` and where its secret comes from into an endpoint. */
import { resolve } from 'node:path';
import { readSecretFile, splitSecret } from '../../engine/connect/credentials.ts';
import type { Whereabouts } from '../../engine/connect/discovery.ts';
import type { Endpoint, TlsOptions } from '../../engine/connect/endpoint.ts';
import { SyncError } from '../../engine/errors.ts';
import type { InstancePlan, SentinelPlan } from '../plan/plan.ts';
import { REDIS_PORT, SENTINEL_PORT } from '../spec/endpoint-url.ts';

export interface SecretSources {
  /** Relative file names are taken from here. */
  baseFolder: string;
  env: Readonly<Record<string, string | undefined>>;
}

/**
 * Where an existing instance may be found: at its `url` (`redis://[user@]host[:port]`, or `rediss://` for TLS), at one of its
 * `urls`, or where its Sentinels say; a cluster with all of its nodes, which these know. A password from a file stays a file: it is read at every login.
 *
 * @throws SyncError SPEC_INVALID (not such a url), AUTH (the secret is not where the spec says).
 */
export function whereaboutsOf(plan: InstancePlan, secrets: SecretSources): Whereabouts {
  if (plan.sentinel !== undefined) return sentinelWatch(plan, plan.sentinel, secrets);
  const endpoints = plan.urls?.map((url) => endpointOf({ ...plan, url }, secrets));
  // Any node tells where the others are.
  if (plan.kind === 'cluster') return { kind: 'cluster', seeds: endpoints ?? [endpointOf(plan, secrets)] };
  return endpoints === undefined ? endpointOf(plan, secrets) : { kind: 'list', endpoints };
}

/** The endpoint of an instance with a `url`. @throws SyncError as whereaboutsOf. */
export function endpointOf(plan: InstancePlan, secrets: SecretSources): Endpoint {
  const url = parseUrl(plan.name, plan.url ?? '');
  const username = plan.username ?? (url.username === '' ? undefined : decodeURIComponent(url.username));
  const inUrl = url.password === '' ? undefined : decodeURIComponent(url.password);
  const tls = plan.tls ?? (url.protocol === 'rediss:' ? {} : undefined);
  return {
    ...addressOf(url, REDIS_PORT),
    ...loginOf(plan.name, { ...plan, username }, secrets, inUrl),
    ...(tls === undefined ? {} : { tls: resolveTlsFiles(tls, secrets.baseFolder) }),
  };
}

function sentinelWatch(plan: InstancePlan, sentinel: SentinelPlan, secrets: SecretSources): Whereabouts {
  const tls = plan.tls === undefined ? {} : { tls: resolveTlsFiles(plan.tls, secrets.baseFolder) };
  const sentinelLogin = loginOf(plan.name, sentinel, secrets);
  return {
    kind: 'sentinel',
    name: sentinel.name,
    sentinels: sentinel.nodes.map((node) => {
      const url = parseUrl(plan.name, node);
      const ownTls = url.protocol === 'rediss:' ? { tls: tls.tls ?? {} } : {};
      return { ...addressOf(url, SENTINEL_PORT), ...sentinelLogin, ...ownTls };
    }),
    login: { ...loginOf(plan.name, plan, secrets), ...tls },
  };
}

function addressOf(url: URL, defaultPort: number): Pick<Endpoint, 'host' | 'port'> {
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? defaultPort : Number(url.port),
  };
}

interface LoginPlan {
  username?: string | undefined;
  passwordEnv?: string;
  passwordFile?: string;
}

function loginOf(
  instance: string,
  { username, passwordEnv, passwordFile }: LoginPlan,
  secrets: SecretSources,
  inUrl?: string,
): Pick<Endpoint, 'username' | 'password' | 'passwordFile'> {
  if (passwordFile === undefined) {
    const secret = passwordEnv === undefined ? inUrl : readVariable(instance, passwordEnv, secrets.env);
    return splitSecret(username, secret);
  }
  const file = resolve(secrets.baseFolder, passwordFile);
  // Read here only to say at once that it cannot be.
  readSecretFile(file, instance);
  return { ...(username === undefined ? {} : { username }), passwordFile: file };
}

function parseUrl(instance: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^rediss?:$/.test(url.protocol) || url.hostname === '') {
    throw new SyncError('SPEC_INVALID', `This is not a url of a server: ${redact(text)}`, {
      where: instance,
      hint: 'Write redis://host:port, redis://user@host:port, or rediss://host:port for TLS.',
    });
  }
  if (!['', '/', '/0'].includes(url.pathname)) {
    throw new SyncError('SPEC_INVALID', `A url names a server, not a database: ${redact(text)}`, {
      where: instance,
      hint: `Remove ${url.pathname}: every database of the server is replicated and compared.`,
    });
  }
  return url;
}

function redact(url: string): string {
  return url.replace(/(:\/\/[^/@:]*):[^@/]*@/, '$1:***@');
}

function readVariable(instance: string, name: string, env: SecretSources['env']): string {
  const value = env[name];
  if (value !== undefined && value !== '') return value;
  throw new SyncError('AUTH', `The environment variable ${name} is ${value === '' ? 'empty' : 'not set'}.`, {
    where: instance,
    hint: `Set ${name} to the password of this instance, or to user:password.`,
  });
}

function resolveTlsFiles(tls: TlsOptions, baseFolder: string): TlsOptions {
  return {
    ...tls,
    ...(tls.caFile === undefined ? {} : { caFile: resolve(baseFolder, tls.caFile) }),
    ...(tls.certFile === undefined ? {} : { certFile: resolve(baseFolder, tls.certFile) }),
    ...(tls.keyFile === undefined ? {} : { keyFile: resolve(baseFolder, tls.keyFile) }),
  };
}
