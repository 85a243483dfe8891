/** Writes a server's configuration file: our defaults for throw-away servers, with the spec's directives on top. Pure. */
import { SyncError } from '../../engine/errors.ts';
import type { OwnCertificates } from './own-certificates.ts';
import type { ServerBinary } from './server-binary.ts';

export interface ServerConfigInput {
  instance: string;
  binary: Pick<ServerBinary, 'server' | 'version'>;
  folder: string;
  port: number;
  /** The spec's `config`. */
  config: Readonly<Record<string, string>>;
  /** Set on a server that speaks TLS, and nothing else. */
  certificates?: OwnCertificates;
  /** Set on a replica. */
  primary?: { host: string; port: number };
  /** Set on a node of a cluster; without a port of its own the bus is at `port` + 10000, which is all that servers before 7.0 know. */
  cluster?: { busPort?: number };
}

/** What we decide and a spec may not: the provisioner depends on them. */
const RESERVED: Record<string, string> = {
  daemonize: 'the provisioner has to know the process',
  supervised: 'the provisioner has to know the process',
  logfile: 'the log is captured in the run folder',
  dir: 'the data lives in the run folder',
  pidfile: 'the provisioner records the process itself',
  replicaof: 'set `replicas` instead',
  slaveof: 'set `replicas` instead',
};

/** Short, because a rehearsal waits with it; long enough for a machine that is busy. */
const CLUSTER_NODE_TIMEOUT_MS = 3000;

/** Their value is one word, whatever it contains; all others are taken as a redis.conf line has them. */
const ONE_WORD = new Set([
  'requirepass',
  'masterauth',
  'masteruser',
  'dir',
  'tls-cert-file',
  'tls-key-file',
  'tls-ca-cert-file',
]);

/**
 * The text of redis.conf (one directive per line).
 *
 * @throws SyncError SPEC_INVALID for a directive that a spec may not set, or a value with a line break in it.
 */
export function writeServerConfig(input: ServerConfigInput): string {
  const directives = new Map<string, string>([
    ['bind', '127.0.0.1'],
    ['protected-mode', 'yes'],
    ['save', ''],
    ['appendonly', 'no'],
    ['repl-diskless-sync', 'yes'],
    ['repl-diskless-sync-delay', '0'],
    // As the prechecks recommend for a source: a rehearsal that wants the trouble says so in the spec, or by a fault.
    ['repl-timeout', '600'],
    ['client-output-buffer-limit', `${majorOf(input.binary.version) >= 5 ? 'replica' : 'slave'} 0 0 0`],
  ]);
  if (majorOf(input.binary.version) >= 7) directives.set('enable-debug-command', 'local');
  if (input.cluster !== undefined) {
    directives.set('cluster-node-timeout', String(CLUSTER_NODE_TIMEOUT_MS));
    directives.set('cluster-config-file', 'nodes.conf');
  }
  for (const [name, value] of Object.entries(input.config)) {
    checkDirective(input.instance, name, value);
    directives.set(name.toLowerCase(), value);
  }
  if (input.certificates === undefined) directives.set('port', String(input.port));
  else setTls(directives, input.port, input.certificates);
  directives.set('dir', input.folder);
  if (input.cluster !== undefined) {
    directives.set('cluster-enabled', 'yes');
    if (input.cluster.busPort !== undefined) directives.set('cluster-port', String(input.cluster.busPort));
    const password = input.config['requirepass'];
    if (password !== undefined && !directives.has('masterauth')) directives.set('masterauth', password);
  }
  if (input.primary) setReplication(directives, input);
  return [...directives].map(([name, value]) => `${name} ${writeValue(name, value)}\n`).join('');
}

/** Where clients reach the server: the first address it is bound to. */
export function listenHost(config: Readonly<Record<string, string>>): string {
  const first = (config['bind'] ?? '').split(/\s+/)[0]?.replace(/^-/, '') ?? '';
  return first === '' || first === '*' || first === '0.0.0.0' ? '127.0.0.1' : first === '::' ? '::1' : first;
}

/** @returns the port the spec asks for; undefined = any free one. @throws SyncError SPEC_INVALID. */
export function configuredPort(
  instance: string,
  config: Readonly<Record<string, string>>,
): number | undefined {
  const text = config['port'];
  if (text === undefined) return undefined;
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65536) return port;
  throw new SyncError(
    'SPEC_INVALID',
    `config.port must be a port number from 1 to 65535, not ${JSON.stringify(text)}.`,
    {
      where: instance,
      hint: 'Leave `port` out to get a free one.',
    },
  );
}

function setReplication(directives: Map<string, string>, input: ServerConfigInput): void {
  const { primary } = input;
  if (!primary) return;
  directives.set(
    majorOf(input.binary.version) >= 5 ? 'replicaof' : 'slaveof',
    `${primary.host} ${primary.port}`,
  );
  const password = input.config['requirepass'];
  if (password !== undefined && !directives.has('masterauth')) directives.set('masterauth', password);
}

/** Clients, us among them, need no certificate; replicas follow their primary by TLS too. */
function setTls(
  directives: Map<string, string>,
  port: number,
  { caFile, certFile, keyFile }: OwnCertificates,
): void {
  directives.set('port', '0');
  directives.set('tls-port', String(port));
  directives.set('tls-cert-file', certFile);
  directives.set('tls-key-file', keyFile);
  directives.set('tls-ca-cert-file', caFile);
  directives.set('tls-auth-clients', 'no');
  directives.set('tls-replication', 'yes');
}

function checkDirective(instance: string, name: string, value: string): void {
  const reason = RESERVED[name.toLowerCase()];
  if (reason !== undefined) {
    throw new SyncError('SPEC_INVALID', `config.${name} cannot be set: ${reason}.`, { where: instance });
  }
  // A line break would smuggle in a directive of its own.
  if (!/^[\w.-]+$/.test(name) || /[\r\n\0]/.test(value)) {
    throw new SyncError('SPEC_INVALID', `config has an unusable directive: ${JSON.stringify(name)}.`, {
      where: instance,
      hint: 'A name is a word as in redis.conf, a value is one line.',
    });
  }
}

function writeValue(name: string, value: string): string {
  if (value === '') return '""';
  if (!ONE_WORD.has(name)) return value;
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

function majorOf(version: string): number {
  return Number.parseInt(version, 10);
}
