/** Files that are shipped beside the code, wherever it was installed or built to. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The nearest folder above this file with a package.json. */
export function packageFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) && folder !== dirname(folder)) folder = dirname(folder);
  return folder;
}

export function readPackageFile(name: string): string {
  return readFileSync(join(packageFolder(), name), 'utf8');
}

export function packageVersion(): string {
  const manifest: unknown = JSON.parse(readPackageFile('package.json'));
  const isManifest = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  return isManifest ? String(manifest.version) : 'unknown';
}
