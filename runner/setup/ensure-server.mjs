/**
 * Makes sure that a Redis-compatible server binary is on the PATH, installing one with the system's package manager when
 * that needs no password. A service which that installation starts is stopped and disabled again: rehearsals start their
 * own servers, and nothing of ours may sit on port 6379.
 */
import { findProgram } from './find-program.mjs';
import { chooseInstaller } from './package-manager.mjs';
import { lastLines, runCommand } from './run-command.mjs';
import { say, SetupProblem } from './say.mjs';

const BINARIES = ['redis-server', 'valkey-server'];
const SERVICES = ['redis-server', 'redis', 'valkey-server', 'valkey'];

const CHOICES = `Install a server in one of these ways, then start again:
  Debian, Ubuntu   sudo apt-get install redis-server
  Fedora, RHEL     sudo dnf install redis
  Alpine           sudo apk add redis
  Arch             sudo pacman -S valkey
  macOS            brew install redis
Or build one from source, and name the binary in the spec (instances: { source: { binary: /path/to/redis-server } })
or put its folder on the PATH.`;

/** The path of a server binary. Throws SetupProblem when there is none and none can be installed. */
export async function ensureServer() {
  const found = findServer();
  if (found) return found;
  const isRoot = process.getuid?.() === 0;
  const installer = chooseInstaller({
    isRoot,
    canSudo: !isRoot && (await canSudo()),
    has: (program) => findProgram(program) !== undefined,
  });
  if (installer.kind === 'none')
    throw new SetupProblem('No redis-server or valkey-server on the PATH.', CHOICES);
  if (installer.kind === 'forbidden') {
    throw new SetupProblem(
      'No redis-server or valkey-server on the PATH, and installing one needs a password.',
      `Run this, then start again:\n  ${installer.command}\n\n${CHOICES}`,
    );
  }
  await install(installer);
  const installed = findServer();
  if (installed) return installed;
  throw new SetupProblem(
    'The package was installed, but there is still no redis-server on the PATH.',
    CHOICES,
  );
}

function findServer() {
  return BINARIES.map((name) => findProgram(name)).find(Boolean);
}

async function canSudo() {
  return (
    findProgram('sudo') !== undefined &&
    (await runCommand('sudo', ['-n', 'true'], { quiet: true })).code === 0
  );
}

async function install(installer) {
  const { program, prefix, packages } = installer;
  const activeBefore = await activeServices();
  say(`No redis-server on the PATH: installing ${packages[0]} with ${[...prefix, program].join(' ')} …`);
  const runManager = (args) => {
    const [command, ...rest] = [...prefix, ...withEnvironment(installer), program, ...args];
    return runCommand(command, rest, { quiet: true });
  };
  let outcome = await installFirst(runManager, installer);
  if (outcome.code !== 0 && installer.refresh) {
    // A fresh machine has no package lists yet, an old one has stale ones.
    await runManager(installer.refresh);
    outcome = await installFirst(runManager, installer);
  }
  if (outcome.code !== 0) {
    throw new SetupProblem(`${program} could not install a server:\n${lastLines(outcome.output)}`, CHOICES);
  }
  for (const extra of installer.extras) await runManager([...installer.install, extra]);
  await stopStarted(prefix, activeBefore);
}

/** `sudo` drops the environment, so variables travel as `env NAME=value`. */
function withEnvironment(installer) {
  const pairs = Object.entries(installer.env).map(([name, value]) => `${name}=${value}`);
  return pairs.length === 0 ? [] : ['env', ...pairs];
}

async function installFirst(runManager, installer) {
  let outcome = { code: 1, output: '' };
  for (const name of installer.packages) {
    outcome = await runManager([...installer.install, name]);
    if (outcome.code === 0) break;
  }
  return outcome;
}

/** Names of the services that run now; none where there is no systemd. */
async function activeServices() {
  const active = new Set();
  for (const name of SERVICES) if (await isActive(name)) active.add(name);
  return active;
}

async function isActive(name) {
  if (findProgram('systemctl') === undefined) return false;
  return (await runCommand('systemctl', ['is-active', '--quiet', name], { quiet: true })).code === 0;
}

/** Stops and disables the services that run now and did not before the installation. */
async function stopStarted(prefix, activeBefore) {
  for (const name of SERVICES) {
    // Asked one by one: some of the names are aliases of one service.
    if (activeBefore.has(name) || !(await isActive(name))) continue;
    const [command, ...args] = [...prefix, 'systemctl', 'disable', '--now', name];
    const { code } = await runCommand(command, args, { quiet: true });
    say(
      code === 0
        ? `Stopped and disabled the ${name} service that came with it.`
        : `The ${name} service that came with it still runs; stop it with: systemctl disable --now ${name}`,
    );
  }
}
