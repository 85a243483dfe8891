/** Finds the server program an instance runs on and checks its version. */
import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { SyncError } from '../../engine/errors.ts';
import type { InstancePlan } from '../plan/plan.ts';

export interface ServerBinary {
  path: string;
  /** `redis`, `valkey`, `keydb` … as it calls itself, in lower case. */
  server: string;
  /** `7.0.15`. */
  version: string;
}

export interface BinaryWanted {
  instance: string;
  binary: InstancePlan['binary'];
  version: InstancePlan['version'];
  baseFolder: string;
  /** As $PATH. */
  path: string;
}

const DEFAULT_NAMES = ['redis-server', 'valkey-server'];

const INSTALL_HINT =
  'Install one (Debian and Ubuntu: `apt-get install redis-server`; macOS: `brew install redis`), ' +
  'or set `binary: /path/to/redis-server` on the instance.';

/**
 * The first program that is there and has the wanted version (`7` takes any 7.x, `7.2` any 7.2.x, `` any).
 *
 * @throws SyncError PROVISION naming what was looked for, what was found and what was wanted.
 */
export async function findServerBinary(wanted: BinaryWanted): Promise<ServerBinary> {
  const names = wanted.binary === '' ? DEFAULT_NAMES : [wanted.binary];
  const paths = names.flatMap((name) => locate(name, wanted) ?? []);
  if (paths.length === 0) throw notFound(names, wanted);
  const found = await Promise.all(paths.map((path) => inspectBinary(path, wanted.instance)));
  const fitting = found.find((binary) => versionFits(binary.version, wanted.version));
  if (fitting) return fitting;
  const foundText = found
    .map((binary) => `${binary.server} ${binary.version} (${binary.path})`)
    .join(' and ');
  throw new SyncError('PROVISION', `The spec wants version ${wanted.version}, found ${foundText}.`, {
    where: wanted.instance,
    hint: `Install version ${wanted.version} and name it with \`binary: /path/to/redis-server\`, or change \`version\` in the spec.`,
  });
}

/** True when `found` is `wanted` or a release of it: compared number by number, as far as `wanted` says. */
export function versionFits(found: string, wanted: string): boolean {
  if (wanted === '') return true;
  const foundParts = found.split('.');
  return wanted.split('.').every((part, index) => part === foundParts[index]);
}

/** Reads `Redis server v=7.0.15 sha=…` or `Valkey server v=8.0.1 …`. Undefined when the output is something else. */
export function parseVersionOutput(output: string): { server: string; version: string } | undefined {
  const match = /^(\w+) server v=(\d[\w.-]*)/m.exec(output);
  const [, server, version] = match ?? [];
  return server === undefined || version === undefined
    ? undefined
    : { server: server.toLowerCase(), version };
}

function locate(name: string, wanted: BinaryWanted): string | undefined {
  if (name.includes('/')) {
    const path = resolve(wanted.baseFolder, name);
    return isExecutable(path) ? path : undefined;
  }
  const folders = wanted.path.split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function notFound(names: string[], wanted: BinaryWanted): SyncError {
  const [name = ''] = names;
  if (wanted.binary === '') {
    return new SyncError('PROVISION', `There is no ${names.join(' or ')} on the PATH.`, {
      where: wanted.instance,
      hint: INSTALL_HINT,
    });
  }
  const place = name.includes('/') ? resolve(wanted.baseFolder, name) : `${name} on the PATH`;
  return new SyncError('PROVISION', `The server binary is not there, or not executable: ${place}.`, {
    where: wanted.instance,
    hint: `Correct \`binary\` of the instance. ${INSTALL_HINT}`,
  });
}

async function inspectBinary(path: string, instance: string): Promise<ServerBinary> {
  let output = '';
  let cause: unknown;
  try {
    output = (await promisify(execFile)(path, ['--version'], { timeout: 10_000 })).stdout;
  } catch (error) {
    cause = error;
  }
  const version = parseVersionOutput(output);
  if (version) return { path, ...version };
  throw new SyncError(
    'PROVISION',
    `${path} is not a Redis-compatible server: \`--version\` says ${JSON.stringify(output.slice(0, 200))}.`,
    {
      where: instance,
      hint: 'Correct `binary` of the instance.',
      cause,
    },
  );
}
