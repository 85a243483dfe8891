/**
 * Global setup of the tests that start the built command (a replicator is always the built one): builds once, before the
 * first of them, when dist/ is not what the sources say. `npm test` has built already; then this only compares hashes.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { isBuilt } from '../../runner/setup/freshness.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** @throws when the build fails, with the compiler's words. */
export default async function buildIfStale(): Promise<void> {
  if (isBuilt(ROOT)) return;
  await promisify(execFile)('npm', ['run', '--silent', 'build'], { cwd: ROOT }).catch((error: unknown) => {
    const words = error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error);
    throw new Error(`The build failed:\n${words}`, { cause: error });
  });
}
