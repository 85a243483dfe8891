/**
 * An image made of this machine's redis-server and the libraries it needs, because no registry is reachable from everywhere.
 * Where no container engine runs, `whyNoContainers` says so, and the tests that need one are skipped with that reason.
 */
import { execFileSync } from 'node:child_process';

export const TEST_IMAGE = 'redis-sync-test/redis:local';

/** Undefined when an engine answers and the image could be made. */
export function whyNoContainers(): string | undefined {
  try {
    execFileSync('docker', ['version', '--format', '{{.Server.Version}}'], {
      stdio: 'pipe',
      timeout: 10_000,
    });
  } catch {
    return 'no container engine answers to `docker version` here';
  }
  try {
    execFileSync('docker', ['image', 'inspect', TEST_IMAGE], { stdio: 'pipe' });
  } catch {
    importImage();
  }
  return undefined;
}

/** One layer: the program, and every file that `ldd` names, at their own paths. */
function importImage(): void {
  const script = `
    program=$(readlink -f "$(command -v redis-server)")
    mkdir -p "$1/usr/bin" "$1/tmp"
    cp "$program" "$1/usr/bin/redis-server"
    for file in $(ldd "$program" | grep -o '/[^ ]*'); do mkdir -p "$1$(dirname "$file")"; cp -L "$file" "$1$file"; done
    tar -C "$1" -c . | docker import - ${TEST_IMAGE}`;
  const folder = execFileSync('mktemp', ['-d'], { encoding: 'utf8' }).trim();
  try {
    execFileSync('sh', ['-c', script, 'sh', folder], { stdio: 'pipe' });
  } finally {
    execFileSync('rm', ['-r', folder]);
  }
}
