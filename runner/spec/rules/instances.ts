/** Instances: what belongs to a provisioned one, what to an existing one, and where its secrets and files are. */
import { statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { Path } from '../document.ts';
import type { Draft } from '../draft.ts';
import { parseEndpointUrl } from '../endpoint-url.ts';
import { parseSecretReference } from '../secrets.ts';
import type { Instance } from '../spec.generated.ts';
import type { RuleContext } from './rule.ts';

const ONLY_PROVISIONED = ['version', 'binary', 'replicas', 'config'] as const;
const ONLY_EXISTING = ['username', 'password', 'passwordFile', 'tls', 'disposable'] as const;

/** Directives that the run decides itself, and why they cannot be set. */
const RESERVED_DIRECTIVES = new Map<string, string>([
  ...['dir', 'logfile', 'pidfile', 'daemonize', 'supervised', 'include'].map(
    (name) => [name, 'a provisioned server lives in the folder of its run'] as const,
  ),
  ...['replicaof', 'slaveof'].map((name) => [name, 'replicas: N makes replicas'] as const),
  ['cluster-enabled', 'this kind of instance is standalone'],
]);

export function checkInstances(context: RuleContext): void {
  for (const [name, instance] of Object.entries(context.spec.instances ?? {})) {
    if (instance === undefined) continue;
    const path: Path = ['instances', name];
    if (instance.url === undefined) checkProvisioned(context, instance, path);
    else checkExisting(context, instance, instance.url, path);
  }
}

function checkProvisioned({ report }: RuleContext, instance: Draft<Instance>, path: Path): void {
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

function checkExisting(context: RuleContext, instance: Draft<Instance>, url: string, path: Path): void {
  const { report } = context;
  for (const key of ONLY_PROVISIONED) {
    if (instance[key] === undefined) continue;
    report([...path, key], 'key', {
      message: `"${key}" belongs to a provisioned server, and ${path.join('.')} has a url`,
      expected: `either url or ${key}`,
    });
  }
  const parsed = parseEndpointUrl(url);
  if (parsed.kind === 'bad') {
    report([...path, 'url'], 'value', {
      message: `${path.join('.')}.url: ${parsed.reason}`,
      expected: parsed.expected,
    });
  } else {
    checkLogin(context, instance, parsed.value.username, path);
    if (instance.tls !== undefined && !parsed.value.tls) {
      report([...path, 'tls'], 'key', {
        message: 'tls settings need a url that begins with rediss://',
        expected: 'rediss://',
      });
    }
  }
  checkFiles(context, instance, path);
}

function checkLogin(
  { report, env }: RuleContext,
  instance: Draft<Instance>,
  urlUser: string | undefined,
  path: Path,
): void {
  if (instance.username !== undefined && urlUser !== undefined) {
    report([...path, 'username'], 'key', {
      message: 'there is a user name in the url already',
      expected: 'one of the two',
    });
  }
  if (instance.password === undefined) return;
  if (instance.passwordFile !== undefined) {
    report([...path, 'passwordFile'], 'key', {
      message: 'password and passwordFile exclude each other',
      expected: 'one of the two',
    });
  }
  const reference = parseSecretReference(instance.password);
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
  for (const key of ['ca', 'cert', 'key'] as const)
    checkFile(context, instance.tls?.[key], [...path, 'tls', key]);
  const { cert, key } = instance.tls ?? {};
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
