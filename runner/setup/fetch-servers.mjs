/**
 * Servers of other versions, for the version matrix: unpacked from Debian's suites into a folder of the clone and started
 * with the libraries they were built with. Nothing is installed; deleting the folder undoes it.
 *
 *   .redis-sync/servers/<suite>/   apt (lists, while fetching)   root (unpacked)   <binary> (starts it)
 */
import { access, chmod, copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from './find-program.mjs';
import { lastLines, runCommand } from './run-command.mjs';
import { say } from './say.mjs';
import {
  aptOptions,
  dependsArguments,
  librariesAmong,
  MIRRORS,
  sourcesList,
  SUITES,
  versionOf,
  wrapperScript,
} from './server-suites.mjs';

const NEEDED = ['apt-get', 'apt-cache', 'dpkg'];

/**
 * Every server that can be had, from the PATH and from the suites, oldest first, each version once.
 *
 * @returns `{ servers: [{ name, binary }], missing: [{ what, why }] }`. Never throws for what is not there.
 */
export async function findServers(folder, suites = SUITES) {
  const servers = [];
  const missing = [];
  for (const binary of ['redis-server', 'valkey-server'].map((name) => findProgram(name)).filter(Boolean)) {
    const name = await nameOf(binary);
    if (name !== undefined) servers.push({ name, binary });
  }
  const absent = NEEDED.filter((program) => findProgram(program) === undefined);
  for (const { suite, servers: wanted } of suites) {
    if (absent.length > 0) {
      missing.push({ what: suite, why: `${absent.join(', ')} not on the PATH: this is no Debian` });
      continue;
    }
    const lacking = wanted.filter(({ release }) => !servers.some(({ name }) => name.startsWith(release)));
    if (lacking.length === 0) continue;
    for (const found of await fetchSuite(join(folder, suite), suite, lacking)) {
      if (found.why !== undefined) missing.push({ what: `${suite} ${found.binary}`, why: found.why });
      else if (!servers.some(({ name }) => name === found.name)) servers.push(found);
    }
  }
  return { servers: servers.toSorted(byName), missing };
}

/** Redis before Valkey, older before newer. */
function byName(a, b) {
  return sortable(a.name) < sortable(b.name) ? -1 : 1;
}

function sortable(name) {
  return name.replaceAll(/\d+/g, (digits) => digits.padStart(4, '0'));
}

async function nameOf(binary) {
  const { code, output } = await runCommand(binary, ['--version'], { quiet: true });
  return code === 0 ? versionOf(output) : undefined;
}

/** One row per wanted server: `{ name, binary }` or `{ binary, why }`. */
async function fetchSuite(folder, suite, wanted) {
  const ready = [];
  for (const { binary } of wanted) {
    const path = join(folder, binary);
    const name = (await exists(path)) ? await nameOf(path) : undefined;
    if (name !== undefined) ready.push({ name, binary: path });
  }
  if (ready.length === wanted.length) return ready;
  say(`Fetching ${wanted.map(({ binary }) => binary).join(' and ')} of Debian ${suite} …`);
  const problem = await unpackSuite(folder, suite, wanted);
  const rows = [];
  for (const server of wanted) rows.push(problem ?? (await makeStartable(folder, server)));
  return rows.map((row, index) => ({ binary: wanted[index].binary, ...row }));
}

/** Undefined when everything is unpacked into `<folder>/root`, else `{ why }`. */
async function unpackSuite(folder, suite, wanted) {
  const apt = join(folder, 'apt');
  await rm(folder, { recursive: true, force: true });
  for (const name of ['lists/partial', 'cache/archives/partial'])
    await mkdir(join(apt, name), { recursive: true });
  await mkdir(join(folder, 'root'), { recursive: true });
  await writeFile(join(apt, 'status'), '');
  const options = aptOptions(apt);
  const updated = await updateLists(apt, suite, options);
  if (updated !== undefined) return updated;
  const names = new Set();
  for (const { tools } of wanted) {
    const depends = await runCommand('apt-cache', [...options, ...dependsArguments(tools)], { quiet: true });
    for (const name of [tools, ...librariesAmong(depends.output)]) names.add(name);
  }
  const fetched = await runCommand('apt-get', [...options, 'download', ...names], {
    quiet: true,
    cwd: join(folder, 'root'),
  });
  if (fetched.code !== 0) return { why: `apt-get download: ${lastLines(fetched.output, 1)}` };
  for (const deb of (await readdir(join(folder, 'root'))).filter((name) => name.endsWith('.deb'))) {
    const path = join(folder, 'root', deb);
    const unpacked = await runCommand('dpkg', ['-x', path, join(folder, 'root')], { quiet: true });
    if (unpacked.code !== 0) return { why: `dpkg -x ${deb}: ${lastLines(unpacked.output, 1)}` };
    await rm(path);
  }
  await rm(apt, { recursive: true });
  return undefined;
}

async function updateLists(apt, suite, options) {
  let why = '';
  for (const mirror of MIRRORS) {
    await writeFile(join(apt, 'sources.list'), sourcesList(mirror, suite));
    const { code, output } = await runCommand('apt-get', [...options, 'update'], { quiet: true });
    // apt-get update succeeds with a warning when a list is not there.
    if (code === 0 && !/^(Err|E|W):/m.test(output)) return undefined;
    why = `apt-get update: ${lastLines(output, 1)}`;
  }
  return { why };
}

async function makeStartable(folder, { binary, file }) {
  const root = join(folder, 'root');
  const files = await readdir(root, { recursive: true, withFileTypes: true });
  const loader = await firstThere(
    files
      .filter((entry) => /^ld-linux.*\.so\.\d$/.test(entry.name))
      .map((entry) => join(parentOf(entry), entry.name)),
  );
  const libraries = new Set(
    files.filter((entry) => /\.so(\.|$)/.test(entry.name)).map((entry) => parentOf(entry)),
  );
  const program = join(root, 'usr', 'bin', file);
  if (loader === undefined || !(await exists(program)))
    return { why: `no ${file} or no loader among the packages` };
  // The program decides by the name it is called by what it is, and the loader calls it by its path.
  const named = join(root, 'usr', 'bin', binary);
  await rm(named, { force: true });
  await copyFile(program, named);
  const path = join(folder, binary);
  const wrapper = { loader, libraryFolders: [...libraries], program: named };
  await writeFile(path, wrapperScript(wrapper));
  await chmod(path, 0o755);
  const name = await nameOf(path);
  return name === undefined ? { why: 'it does not start on this machine' } : { name, binary: path };
}

/** Node 20 calls it `parentPath`, and `path` before 20.12. */
function parentOf(entry) {
  return entry.parentPath ?? entry.path;
}

/** Some of them are links to where they would be if they were installed. */
async function firstThere(paths) {
  for (const path of paths) if (await exists(path)) return path;
  return undefined;
}

async function exists(path) {
  return access(path).then(
    () => true,
    () => false,
  );
}
