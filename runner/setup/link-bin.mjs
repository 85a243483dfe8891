/**
 * The end of a build: copies what the compiler leaves alone, removes outputs whose source is gone, makes the command
 * executable and links it into node_modules/.bin, so that `npx redis-sync` works in a clone.
 */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BUILD_STAMP, fingerprintSources, listSources } from './freshness.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SETUP = join(ROOT, 'runner', 'setup');

copyPlainModules();
pruneOutputs();
linkCommand();
writeFileSync(join(ROOT, BUILD_STAMP), fingerprintSources(ROOT));

/** Helper programs written as .mjs, because they run from the sources and from dist alike. Setup scripts stay behind. */
function copyPlainModules() {
  for (const file of listSources(ROOT)) {
    if (!file.endsWith('.mjs') || file.startsWith(SETUP)) continue;
    const output = join(ROOT, 'dist', relative(ROOT, file));
    mkdirSync(dirname(output), { recursive: true });
    copyFileSync(file, output);
  }
}

function pruneOutputs() {
  const dist = join(ROOT, 'dist');
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const output = join(entry.parentPath ?? entry.path, entry.name);
    const compiled = /^(.*?)(\.d\.ts|\.js\.map|\.js)$/.exec(relative(dist, output));
    if (compiled && !existsSync(join(ROOT, `${compiled[1]}.ts`))) rmSync(output);
  }
}

function linkCommand() {
  const command = join(ROOT, 'dist', 'runner', 'bin.js');
  if (!existsSync(command)) return;
  chmodSync(command, 0o755);
  const folder = join(ROOT, 'node_modules', '.bin');
  const link = join(folder, 'redis-sync');
  mkdirSync(folder, { recursive: true });
  if (lstatSync(link, { throwIfNoEntry: false })) rmSync(link);
  symlinkSync(relative(folder, command), link);
}
