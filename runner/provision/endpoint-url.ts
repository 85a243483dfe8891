/** Turns an instance's `url` and where its secret comes from into an endpoint. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Endpoint, TlsOptions } from '../../engine/connect/endpoint.ts';
import { asError, SyncError } from '../../engine/errors.ts';
import type { InstancePlan } from '../plan/plan.ts';

export interface SecretSources {
  /** Relative file names are taken from here. */
  baseFolder: string;
  env: Readonly<Record<string, string | undefined>>;
}

const DEFAULT_PORT = 6379;

/**
 * The endpoint of an instance with a `url`: `redis://[user@]host[:port]`, or `rediss://` for TLS.
 *
 * @throws SyncError SPEC_INVALID (not such a url), AUTH (the secret is not where the spec says).
 */
export function endpointOf(plan: InstancePlan, secrets: SecretSources): Endpoint {
  const url = parseUrl(plan);
  const secret =
    readSecret(plan, secrets) ?? (url.password === '' ? undefined : decodeURIComponent(url.password));
  const username = plan.username ?? (url.username === '' ? undefined : decodeURIComponent(url.username));
  const tls = plan.tls ?? (url.protocol === 'rediss:' ? {} : undefined);
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? DEFAULT_PORT : Number(url.port),
    ...credentials(username, secret),
    ...(tls === undefined ? {} : { tls: resolveTlsFiles(tls, secrets.baseFolder) }),
  };
}

/**
 * A secret without a user name beside it may hold both, as `user:password`, and is cut at its first colon (S0-40). Naming
 * the user (`username: default`) keeps a password with a colon whole.
 */
export function credentials(
  username: string | undefined,
  secret: string | undefined,
): Pick<Endpoint, 'username' | 'password'> {
  if (secret === undefined) return username === undefined ? {} : { username };
  const colon = secret.indexOf(':');
  if (username !== undefined) return { username, password: secret };
  if (colon <= 0) return { password: colon === 0 ? secret.slice(1) : secret };
  return { username: secret.slice(0, colon), password: secret.slice(colon + 1) };
}

function parseUrl(plan: InstancePlan): URL {
  const text = plan.url ?? '';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^rediss?:$/.test(url.protocol) || url.hostname === '') {
    throw new SyncError('SPEC_INVALID', `This is not a url of a server: ${redact(text)}`, {
      where: plan.name,
      hint: 'Write redis://host:port, redis://user@host:port, or rediss://host:port for TLS.',
    });
  }
  if (!['', '/', '/0'].includes(url.pathname)) {
    throw new SyncError('SPEC_INVALID', `A url names a server, not a database: ${redact(text)}`, {
      where: plan.name,
      hint: `Remove ${url.pathname}: every database of the server is replicated and compared.`,
    });
  }
  return url;
}

function redact(url: string): string {
  return url.replace(/(:\/\/[^/@:]*):[^@/]*@/, '$1:***@');
}

function readSecret(plan: InstancePlan, secrets: SecretSources): string | undefined {
  if (plan.passwordFile !== undefined)
    return readSecretFile(plan, resolve(secrets.baseFolder, plan.passwordFile));
  if (plan.passwordEnv === undefined) return undefined;
  const value = secrets.env[plan.passwordEnv];
  if (value !== undefined && value !== '') return value;
  throw new SyncError(
    'AUTH',
    `The environment variable ${plan.passwordEnv} is ${value === '' ? 'empty' : 'not set'}.`,
    {
      where: plan.name,
      hint: `Set ${plan.passwordEnv} to the password of this instance, or to user:password.`,
    },
  );
}

function readSecretFile(plan: InstancePlan, file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new SyncError('AUTH', `The password file cannot be read: ${asError(error).message}`, {
      where: plan.name,
      hint: 'Correct `passwordFile` of the instance; a relative path is taken from the folder of the spec.',
      cause: error,
    });
  }
  // Editors and `echo` end a file with a line break, which is not part of the secret.
  const secret = text.replace(/\r?\n$/, '');
  if (secret !== '') return secret;
  throw new SyncError('AUTH', `The password file ${file} is empty.`, { where: plan.name });
}

function resolveTlsFiles(tls: TlsOptions, baseFolder: string): TlsOptions {
  return {
    ...tls,
    ...(tls.caFile === undefined ? {} : { caFile: resolve(baseFolder, tls.caFile) }),
    ...(tls.certFile === undefined ? {} : { certFile: resolve(baseFolder, tls.certFile) }),
    ...(tls.keyFile === undefined ? {} : { keyFile: resolve(baseFolder, tls.keyFile) }),
  };
}
