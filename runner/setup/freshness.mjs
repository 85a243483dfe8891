/** Tells whether what was made earlier (installed packages, compiled files) still fits the sources. Only reads. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const SOURCE_FOLDERS = [
  'engine',
  'reports',
  'scenarios',
  'runner',
  'test/bench',
  'test/support',
  'test/torture',
];
const BUILD_FILES = ['tsconfig.json', 'tsconfig.build.json', 'package.json', 'package-lock.json'];

/** Where the build leaves the fingerprint of the sources it was made from. */
export const BUILD_STAMP = join('dist', '.build-stamp');

/**
 * Why the installed packages do not fit package-lock.json, in words; undefined when they do. npm itself keeps what it
 * installed in node_modules/.package-lock.json.
 */
export function whyReinstall(root) {
  const wanted = readJson(join(root, 'package-lock.json'));
  const installed = readJson(join(root, 'node_modules', '.package-lock.json'));
  if (!wanted?.packages) return 'package-lock.json cannot be read';
  if (!installed?.packages) return 'nothing is installed yet';
  for (const [path, entry] of Object.entries(wanted.packages)) {
    if (path === '') continue;
    const there = installed.packages[path];
    // Optional packages are for other platforms: npm leaves them out.
    if (there === undefined && (entry.optional || entry.devOptional)) continue;
    if (there === undefined) return `${path.replace('node_modules/', '')} is missing`;
    if (there.version !== entry.version)
      return `${path.replace('node_modules/', '')} is ${there.version}, wanted ${entry.version}`;
  }
  return undefined;
}

/** True when dist/ was built from exactly these sources. */
export function isBuilt(root) {
  const stamp = join(root, BUILD_STAMP);
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprintSources(root);
}

/** A hash over the names and contents of everything the build reads. Independent of clocks and of git. */
export function fingerprintSources(root) {
  const hash = createHash('sha256');
  for (const file of [...BUILD_FILES.map((name) => join(root, name)), ...listSources(root)]) {
    hash.update(relative(root, file)).update('\0');
    if (existsSync(file)) hash.update(readFileSync(file));
    hash.update('\0');
  }
  return hash.digest('hex');
}

/** Every file below the source folders, as sorted absolute paths. */
export function listSources(root) {
  return SOURCE_FOLDERS.flatMap((folder) => {
    const start = join(root, folder);
    if (!existsSync(start)) return [];
    return readdirSync(start, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  }).toSorted(byCodeUnits);
}

function byCodeUnits(left, right) {
  return left < right ? -1 : Number(left > right);
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
