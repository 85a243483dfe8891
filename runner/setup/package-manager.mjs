/** Which command installs a Redis-compatible server on this machine. Pure: the facts are passed in. */

/**
 * In the order they are looked for. `packages`: the first one the manager knows is taken. Only Debian's packages start a
 * service by themselves; the others just put the binary there.
 */
const MANAGERS = [
  {
    program: 'apt-get',
    packages: ['redis-server', 'valkey-server'],
    refresh: ['update', '-qq'],
    install: ['install', '-y', '-qq', '--no-install-recommends'],
    env: { DEBIAN_FRONTEND: 'noninteractive' },
    // For the fault clock-skew; whatever needs it is skipped where it is missing.
    extras: ['libfaketime'],
  },
  { program: 'dnf', packages: ['redis', 'valkey'], install: ['install', '-y', '-q'] },
  { program: 'yum', packages: ['redis', 'valkey'], install: ['install', '-y', '-q'] },
  { program: 'apk', packages: ['redis', 'valkey'], install: ['add', '--no-cache'] },
  { program: 'zypper', packages: ['redis', 'valkey'], install: ['--non-interactive', 'install'] },
  { program: 'pacman', packages: ['valkey', 'redis'], install: ['-Sy', '--noconfirm', '--needed'] },
  // Homebrew refuses to run as root and needs no privileges.
  { program: 'brew', packages: ['redis', 'valkey'], install: ['install', '--quiet'], unprivileged: true },
];

/**
 * How to install a server here.
 *
 * @param facts `{ isRoot, canSudo, has(program) }`; `canSudo` means that `sudo -n` asks for no password.
 * @returns `{ kind: 'install', prefix, program, packages, extras, refresh, install, env }` (extras are packages
 *   that are nice to have), where `prefix` is `[]` or
 *   `['sudo', '-n']`; `{ kind: 'forbidden', command }` when only privileges are missing (the command a person with them
 *   would type); `{ kind: 'none' }` when no package manager is known.
 */
export function chooseInstaller(facts) {
  let forbidden;
  for (const manager of MANAGERS) {
    if (!facts.has(manager.program)) continue;
    const prefix = privilegePrefix(manager, facts);
    if (prefix === undefined) {
      forbidden ??= { kind: 'forbidden', command: commandForPeople(manager) };
      continue;
    }
    return { kind: 'install', prefix, refresh: undefined, env: {}, extras: [], ...manager };
  }
  return forbidden ?? { kind: 'none' };
}

function privilegePrefix(manager, facts) {
  if (manager.unprivileged) return facts.isRoot ? undefined : [];
  if (facts.isRoot) return [];
  return facts.canSudo ? ['sudo', '-n'] : undefined;
}

function commandForPeople(manager) {
  const quietless = manager.install.filter((flag) => !/^(-q+|--quiet|--no-install-recommends)$/.test(flag));
  const sudo = manager.unprivileged ? '' : 'sudo ';
  return `${sudo}${manager.program} ${quietless.join(' ')} ${manager.packages[0]}`;
}
