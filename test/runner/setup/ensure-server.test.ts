/** Installing a server, with package managers that are scripts in a folder which is the whole PATH. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'redis-sync-path-'));
  program('env', 'while [ "${1#*=}" != "$1" ]; do export "$1"; shift; done; exec "$@"');
  // Whoever runs the tests: with rights, by way of a sudo that asks for nothing.
  program('sudo', '[ "$1" = -n ] && shift; [ "$1" = true ] && exit 0; exec "$@"');
});
afterEach(() => rmSync(folder, { recursive: true }));

function program(name: string, script: string): void {
  const file = join(folder, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

/** A package manager that writes down its arguments; `install` of `known` puts a redis-server on the PATH. */
function manager(name: string, known: string, beforeRefresh = ''): void {
  program(
    name,
    `echo "\${DEBIAN_FRONTEND:+$DEBIAN_FRONTEND }$*" >> ${folder}/calls
     case "$*" in
       update*) : > ${folder}/refreshed ;;
       *" ${known}") ${beforeRefresh} printf '#!/bin/sh\\n' > ${folder}/redis-server; /bin/chmod +x ${folder}/redis-server ;;
       *) echo "E: Unable to locate package"; exit 100 ;;
     esac`,
  );
}

function run(): { status: number | null; stdout: string; stderr: string } {
  const script = `
    import { ensureServer } from './runner/setup/ensure-server.mjs';
    import { runMain } from './runner/setup/say.mjs';
    await runMain(async () => { process.stdout.write(await ensureServer()); return 0; });`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    env: { PATH: folder },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

const calls = (): string[] => readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n');

test('a server on the PATH is taken, nothing is installed', () => {
  program('valkey-server', '');
  manager('apt-get', 'redis-server');
  expect(run()).toEqual({ status: 0, stdout: join(folder, 'valkey-server'), stderr: '' });
  expect(existsSync(join(folder, 'calls'))).toBe(false);
});

test('none there: installed, and said so in one line', () => {
  manager('apt-get', 'redis-server');
  const { status, stdout, stderr } = run();
  expect({ status, stdout }).toEqual({ status: 0, stdout: join(folder, 'redis-server') });
  expect(stderr).toMatch(/^• No redis-server on the PATH: installing redis-server with .*apt-get …\n$/);
  const install = 'noninteractive install -y -qq --no-install-recommends';
  // The second is nice to have: nobody minds that this one does not know it.
  expect(calls()).toEqual([`${install} redis-server`, `${install} libfaketime`]);
});

test('package lists are refreshed when the package is not found', () => {
  manager('apt-get', 'redis-server', `[ -e ${folder}/refreshed ] || exit 100;`);
  expect(run().status).toBe(0);
  const words = calls().map((call) => call.split(' ')[1]);
  expect(words.slice(0, 4)).toEqual(['install', 'install', 'update', 'install']);
});

test('Valkey where there is no Redis', () => {
  manager('dnf', 'valkey');
  expect(run().status).toBe(0);
  expect(calls()).toEqual(['install -y -q redis', 'install -y -q valkey']);
});

test('the package manager fails: its words, the choices, no stack trace', () => {
  manager('apt-get', 'something-else');
  const { status, stderr } = run();
  expect(status).toBe(3);
  expect(stderr).toContain('apt-get could not install a server:\nE: Unable to locate package');
  expect(stderr).toContain('What to do:');
  expect(stderr).not.toMatch(/^\s+at /m);
});

test('no package manager: the choices', () => {
  const { status, stderr } = run();
  expect(status).toBe(3);
  expect(stderr).toContain('No redis-server or valkey-server on the PATH.');
  expect(stderr).toContain('brew install redis');
});

test('a service that the installation starts is stopped and disabled; one that ran before is left alone', () => {
  manager('apt-get', 'redis-server', `: > ${folder}/redis-server.active; : > ${folder}/redis.active;`);
  // `redis` is an alias, as on Debian.
  program(
    'systemctl',
    `echo "$*" >> ${folder}/systemctl-calls
     case "$1" in
       is-active) [ -e "${folder}/$3.active" ] ;;
       disable) /bin/rm ${folder}/redis-server.active ${folder}/redis.active ;;
     esac`,
  );
  writeFileSync(join(folder, 'valkey.active'), '');
  const { status, stderr } = run();
  expect(status).toBe(0);
  expect(stderr).toContain('• Stopped and disabled the redis-server service that came with it.');
  const changes = readFileSync(join(folder, 'systemctl-calls'), 'utf8')
    .split('\n')
    .filter((call) => call.startsWith('disable'));
  expect(changes).toEqual(['disable --now redis-server']);
});
