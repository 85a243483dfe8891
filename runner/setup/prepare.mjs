/** Brings a clone into a state in which redis-sync runs: Node version, packages, build, a server. Each step only if needed. */
import { fileURLToPath } from 'node:url';
import { ensureServer } from './ensure-server.mjs';
import { isBuilt, whyReinstall } from './freshness.mjs';
import { isNodeSupported, NODE_WANTED } from './node-version.mjs';
import { firstLines, lastLines, runCommand } from './run-command.mjs';
import { say, SetupProblem } from './say.mjs';

/** The root folder of the clone. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Throws SetupProblem with an instruction when a step is not possible. */
export async function prepare() {
  checkNode();
  await ensurePackages();
  await ensureBuilt();
  await ensureServer();
}

function checkNode() {
  if (isNodeSupported(process.versions.node)) return;
  throw new SetupProblem(
    `This is Node ${process.versions.node}; redis-sync needs ${NODE_WANTED} or newer.`,
    `Install a newer Node (https://nodejs.org, nvm, fnm or your package manager), then start again.`,
  );
}

async function ensurePackages() {
  const why = whyReinstall(ROOT);
  if (why === undefined) return;
  say(`Installing the npm packages (${why}) …`);
  let { code, output } = await runNpm('ci');
  // A lock file made against a registry that lacks the binaries of other platforms is incomplete in the eyes of `npm ci`.
  // `npm install` takes the locked versions too and asks the registry for the rest; --no-save leaves the lock file alone.
  if (code !== 0 && output.includes('EUSAGE')) ({ code, output } = await runNpm('install', '--no-save'));
  if (code === 0) return;
  throw new SetupProblem(
    `npm could not install the packages:\n${firstLines(output)}`,
    'Check the network and the registry npm uses (npm config get registry), then start again.',
  );
}

function runNpm(...args) {
  const options = ['--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  return runCommand('npm', [...args, ...options], { cwd: ROOT, quiet: true });
}

async function ensureBuilt() {
  if (isBuilt(ROOT)) return;
  say('Building …');
  const { code, output } = await runCommand('npm', ['run', '--silent', 'build'], { cwd: ROOT, quiet: true });
  if (code === 0) return;
  throw new SetupProblem(
    `The build failed:\n${lastLines(output, 30)}`,
    'Correct these places, then start again.',
    1,
  );
}
