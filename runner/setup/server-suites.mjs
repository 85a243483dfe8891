/**
 * Which Debian suites have servers of other versions, and how apt and dpkg get them into a folder without installing
 * anything. Pure: nothing here runs a program.
 */

/** Where packages are looked for, in this order; suites that are no longer maintained move to the archive. */
export const MIRRORS = ['http://deb.debian.org/debian', 'http://archive.debian.org/debian'];

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * `tools` are the packages that hold the server binary; `binary` is the name it is called by, `file` what the package calls
 * it (one program decides by its name what it is). A suite is only fetched for a `release` that is not there yet.
 */
export const SUITES = [
  { suite: 'bullseye', servers: [redis('redis 6.0.')] },
  { suite: 'bookworm', servers: [redis('redis 7.0.')] },
  { suite: 'trixie', servers: [valkey('valkey 8.1.')] },
  { suite: 'sid', servers: [redis('redis 8.'), valkey('valkey 9.')] },
];

function redis(release) {
  return { tools: 'redis-tools', binary: 'redis-server', file: 'redis-check-rdb', release };
}

function valkey(release) {
  return { tools: 'valkey-tools', binary: 'valkey-server', file: 'valkey-check-rdb', release };
}

/** A sources list of its own, for one suite. */
export function sourcesList(mirror, suite) {
  return `deb [signed-by=${KEYRING}] ${mirror} ${suite} main\n`;
}

/** Options that make apt keep everything it knows in `folder`, so that the machine's own lists stay as they are. */
export function aptOptions(folder) {
  const settings = {
    'Dir::State::lists': `${folder}/lists`,
    'Dir::Cache': `${folder}/cache`,
    'Dir::Etc::sourcelist': `${folder}/sources.list`,
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::State::status': `${folder}/status`,
    'Acquire::Languages': 'none',
    'Acquire::Retries': '2',
    'APT::Sandbox::User': '',
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

/** Arguments of apt-cache that list what a package needs to run, and what that needs. */
export function dependsArguments(name) {
  const without = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'];
  return ['depends', '--recurse', ...without.map((kind) => `--no-${kind}`), name];
}

/** Libraries among what apt-cache listed: everything else (init scripts, adduser, perl …) is for installing. */
export function librariesAmong(output) {
  const names = output.split('\n').filter((line) => /^(lib|lua-|zlib)[a-z0-9.+-]*$/.test(line));
  return [...new Set(names)];
}

/** Starts a binary with the libraries it was built with, through their own loader. */
export function wrapperScript({ loader, libraryFolders, program }) {
  return `#!/bin/sh\nexec '${loader}' --library-path '${libraryFolders.join(':')}' '${program}' "$@"\n`;
}

/** `redis 8.0.6` from what `--version` prints; undefined when that is something else. */
export function versionOf(output) {
  const match = /^(Redis|Valkey) server v=([0-9.]+)/m.exec(output);
  return match === null ? undefined : `${match[1].toLowerCase()} ${match[2]}`;
}
