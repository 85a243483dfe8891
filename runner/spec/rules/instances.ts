/** Instances: what belongs to a provisioned one, what to an existing one, and where its secrets and files are. */
import { statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { Path } from '../document.ts';
import type { Draft } from '../draft.ts';
import { PLACE_KEYS, placeKeyOf, type PlaceKey } from '../../plan/existing.ts';
import { parseEndpointUrl, REDIS_PORT, SENTINEL_PORT, type EndpointUrl } from '../endpoint-url.ts';
import { parseSecretReference } from '../secrets.ts';
import type { Instance } from '../spec.generated.ts';
import { labelOf } from '../wording.ts';
import { checkExistingTls, checkProvisionedTls, tlsSettingsOf } from './instance-tls.ts';
import type { RuleContext } from './rule.ts';

const ONLY_PROVISIONED = [
  'provider',
  'image',
  'version',
  'binary',
  'replicas',
  'shards',
  'sentinels',
  'config',
] as const;
/** Keys that belong to one kind. */
const ONLY_OF_KIND = { shards: 'cluster', sentinels: 'sentinel' } as const;
const ONLY_EXISTING = ['username', 'password', 'passwordFile', 'disposable'] as const;

/** Directives that the run decides itself, and why they cannot be set. */
const RESERVED_DIRECTIVES = new Map<string, string>([
  ...['dir', 'logfile', 'pidfile', 'daemonize', 'supervised', 'include'].map(
    (name) => [name, 'a provisioned server lives in the folder of its run'] as const,
  ),
  ...['replicaof', 'slaveof'].map((name) => [name, 'replicas: N makes replicas'] as const),
  ['cluster-enabled', 'kind: cluster makes a cluster'],
]);

export function checkInstances(context: RuleContext): void {
  for (const [name, instance] of Object.entries(context.spec.instances ?? {})) {
    if (instance === undefined) continue;
    const path: Path = ['instances', name];
    const place = placeKeyOf(instance);
    checkKind(context, instance, path);
    if (place === undefined) checkProvisioned(context, instance, path);
    else checkExisting(context, instance, place, path);
  }
}

function checkKind({ report }: RuleContext, instance: Draft<Instance>, path: Path): void {
  const { kind = 'standalone' } = instance;
  for (const [key, wanted] of Object.entries(ONLY_OF_KIND)) {
    if (!(key in instance) || kind === wanted) continue;
    report([...path, key], 'key', {
      message: `"${key}" belongs to kind: ${wanted}, and ${path.join('.')} is ${kind}`,
      expected: `kind: ${wanted}, or no ${key}`,
    });
  }
}

/** An image says which server; processes have none. */
function checkProvider({ report }: RuleContext, instance: Draft<Instance>, path: Path): void {
  const { provider = 'process', kind = 'standalone' } = instance;
  if (provider === 'process' && 'image' in instance) {
    report([...path, 'image'], 'key', {
      message: `"image" belongs to provider: container, and ${path.join('.')} is provisioned as processes`,
      expected: 'provider: container beside it, or no image',
    });
  }
  if (provider === 'process') return;
  if (!('image' in instance)) {
    report([...path, 'provider'], 'value', {
      message: 'the container has no image',
      expected: 'image: redis:7.2 beside it',
    });
  }
  if (kind !== 'cluster' && kind !== 'sentinel') return;
  report([...path, 'provider'], 'value', {
    message: `provider: container does not make instances of kind ${kind} yet`,
    expected: 'kind: standalone, or provider: process',
  });
}

function checkProvisioned(context: RuleContext, instance: Draft<Instance>, path: Path): void {
  const { report } = context;
  checkProvider(context, instance, path);
  checkProvisionedTls(context, instance, path);
  for (const key of ONLY_EXISTING) {
    if (instance[key] === undefined) continue;
    report([...path, key], 'key', {
      message: `"${key}" belongs to an existing endpoint, and ${path.join('.')} has no url`,
      expected: `url: redis://host:6379 beside it, or no ${key}`,
    });
  }
  for (const directive of Object.keys(instance.config ?? {})) {
    const reason = RESERVED_DIRECTIVES.get(directive);
    if (reason === undefined) continue;
    report([...path, 'config', directive], 'key', { message: `"${directive}" cannot be set: ${reason}` });
  }
}

function checkExisting(context: RuleContext, instance: Draft<Instance>, place: PlaceKey, path: Path): void {
  const { report } = context;
  for (const key of PLACE_KEYS) {
    if (key === place || instance[key] === undefined) continue;
    report([...path, key], 'key', {
      message: `${place} and ${key} exclude each other`,
      expected: `one of ${PLACE_KEYS.join(', ')}`,
    });
  }
  for (const key of ONLY_PROVISIONED) {
    if (instance[key] === undefined) continue;
    report([...path, key], 'key', {
      message: `"${key}" belongs to a provisioned server, and ${path.join('.')} has a ${nounOf(place)}`,
      expected: `either ${place} or ${key}`,
    });
  }
  checkExistingTls(context, instance, place, path);
  checkPlace(context, instance, place, path);
  checkSecret(context, instance, path);
  checkFiles(context, instance, path);
}

function nounOf(place: PlaceKey): string {
  return place === 'urls' ? 'list of urls' : place;
}

function checkPlace(context: RuleContext, instance: Draft<Instance>, place: PlaceKey, path: Path): void {
  switch (place) {
    case 'url': {
      const endpoint = checkUrl(context, instance.url, [...path, 'url']);
      if (endpoint !== undefined) checkUrlLogin(context, instance, endpoint, path);
      return;
    }
    case 'urls':
      return checkUrls(context, instance, path);
    case 'sentinel': {
      const { sentinel } = instance;
      if (sentinel === undefined) return;
      for (const [position, node] of (sentinel.nodes ?? []).entries()) {
        const at = [...path, 'sentinel', 'nodes', position];
        checkNoUser(context, checkUrl(context, node, at, SENTINEL_PORT), at);
      }
      checkSecret(context, sentinel, [...path, 'sentinel']);
      checkFile(context, sentinel.passwordFile, [...path, 'sentinel', 'passwordFile']);
      return;
    }
    default:
      return place satisfies never;
  }
}

/** The url, if it is one. */
function checkUrl(
  { report }: RuleContext,
  url: string | undefined,
  path: Path,
  defaultPort = REDIS_PORT,
): EndpointUrl | undefined {
  if (url === undefined) return undefined;
  const parsed = parseEndpointUrl(url, defaultPort);
  if (parsed.kind === 'ok') return parsed.value;
  report(path, 'value', { message: `${labelOf(path)}: ${parsed.reason}`, expected: parsed.expected });
  return undefined;
}

function checkUrlLogin(
  { report }: RuleContext,
  instance: Draft<Instance>,
  endpoint: EndpointUrl,
  path: Path,
): void {
  if (instance.username !== undefined && endpoint.username !== undefined) {
    report([...path, 'username'], 'key', {
      message: 'there is a user name in the url already',
      expected: 'one of the two',
    });
  }
  if (tlsSettingsOf(instance) !== undefined && !endpoint.tls) {
    report([...path, 'tls'], 'key', {
      message: 'tls settings need a url that begins with rediss://',
      expected: 'rediss://',
    });
  }
}

/** One instance at several addresses: one way to reach it, one login. */
function checkUrls(context: RuleContext, instance: Draft<Instance>, path: Path): void {
  const endpoints = (instance.urls ?? []).map((url, position) => {
    const at = [...path, 'urls', position];
    const endpoint = checkUrl(context, url, at);
    checkNoUser(context, endpoint, at);
    return endpoint;
  });
  const tls = endpoints.map((endpoint) => endpoint?.tls);
  const first = tls.find((each) => each !== undefined);
  const other = tls.findIndex((each) => each !== undefined && each !== first);
  if (other !== -1) {
    context.report([...path, 'urls', other], 'value', {
      message: 'some of the urls are with TLS and some are not',
      expected: first === true ? 'rediss://' : 'redis://',
    });
  } else if (tlsSettingsOf(instance) !== undefined && first === false) {
    context.report([...path, 'tls'], 'key', {
      message: 'tls settings need urls that begin with rediss://',
      expected: 'rediss://',
    });
  }
}

function checkNoUser({ report }: RuleContext, endpoint: EndpointUrl | undefined, path: Path): void {
  if (endpoint?.username === undefined) return;
  report(path, 'value', {
    message: `${labelOf(path)}: the user name stands beside a list, not in it`,
    expected: `username: ${endpoint.username}`,
  });
}

interface Secret {
  readonly password?: string | undefined;
  readonly passwordFile?: string | undefined;
}

function checkSecret({ report, env }: RuleContext, { password, passwordFile }: Secret, path: Path): void {
  if (password === undefined) return;
  if (passwordFile !== undefined) {
    report([...path, 'passwordFile'], 'key', {
      message: 'password and passwordFile exclude each other',
      expected: 'one of the two',
    });
  }
  const reference = parseSecretReference(password);
  if (reference.kind === 'bad') return;
  const { variable, message } = reference.value;
  const value = env[variable];
  if (value !== undefined && value !== '') return;
  report([...path, 'password'], 'value', {
    message: `the environment variable ${variable} is not set${message === undefined ? '' : `: ${message}`}`,
    expected: `${variable} in the environment of this command`,
  });
}

function checkFiles(context: RuleContext, instance: Draft<Instance>, path: Path): void {
  checkFile(context, instance.passwordFile, [...path, 'passwordFile']);
  const tls = tlsSettingsOf(instance);
  for (const key of ['ca', 'cert', 'key'] as const) checkFile(context, tls?.[key], [...path, 'tls', key]);
  const { cert, key } = tls ?? {};
  if ((cert === undefined) === (key === undefined)) return;
  context.report([...path, 'tls'], 'key', {
    message: 'a client certificate needs both cert and key',
    expected: 'both, or none',
  });
}

function checkFile({ report, folder }: RuleContext, file: string | undefined, path: Path): void {
  if (file === undefined) return;
  const resolved = isAbsolute(file) ? file : join(folder, file);
  const found = statSync(resolved, { throwIfNoEntry: false });
  if (found?.isDirectory() === false) return;
  const why = found === undefined ? 'there is no file' : 'this is a folder:';
  report(path, 'value', {
    message: `${why} ${resolved}`,
    expected: 'a file name; relative ones begin at the spec',
  });
}
