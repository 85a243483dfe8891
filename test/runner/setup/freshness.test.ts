import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  BUILD_STAMP,
  fingerprintSources,
  isBuilt,
  listSources,
  whyReinstall,
} from '../../../runner/setup/freshness.mjs';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'redis-sync-clone-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string, content: string | object): void {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
}

const locked = {
  '': {},
  'node_modules/yaml': { version: '2.9.1' },
  'node_modules/fsevents': { version: '2.3.3', optional: true },
};

test('packages: nothing installed yet', () => {
  write('package-lock.json', { packages: locked });
  expect(whyReinstall(root)).toBe('nothing is installed yet');
});

test('packages: all there; an optional one of another platform may be missing', () => {
  write('package-lock.json', { packages: locked });
  write('node_modules/.package-lock.json', { packages: { 'node_modules/yaml': { version: '2.9.1' } } });
  expect(whyReinstall(root)).toBeUndefined();
});

test('packages: one is missing, one is of another version', () => {
  write('package-lock.json', { packages: locked });
  write('node_modules/.package-lock.json', { packages: {} });
  expect(whyReinstall(root)).toBe('yaml is missing');
  write('node_modules/.package-lock.json', { packages: { 'node_modules/yaml': { version: '2.8.0' } } });
  expect(whyReinstall(root)).toBe('yaml is 2.8.0, wanted 2.9.1');
});

test('packages: this very clone is installed', () => {
  expect(whyReinstall(process.cwd())).toBeUndefined();
});

test('build: fresh only while the sources are the same, whatever their times say', () => {
  write('engine/a.ts', 'a');
  write('runner/setup/start.mjs', 'b');
  expect(isBuilt(root)).toBe(false);
  write(BUILD_STAMP, fingerprintSources(root));
  expect(isBuilt(root)).toBe(true);
  utimesSync(join(root, 'engine/a.ts'), new Date(), new Date());
  expect(isBuilt(root)).toBe(true);
  write('engine/a.ts', 'changed');
  expect(isBuilt(root)).toBe(false);
});

test('build: a file that was added, renamed or removed makes it stale', () => {
  write('engine/a.ts', 'a');
  const first = fingerprintSources(root);
  write('engine/deep/b.ts', '');
  const second = fingerprintSources(root);
  rmSync(join(root, 'engine/deep/b.ts'));
  write('engine/deep/c.ts', '');
  const third = fingerprintSources(root);
  expect(new Set([first, second, third]).size).toBe(3);
  rmSync(join(root, 'engine/deep'), { recursive: true });
  expect(fingerprintSources(root)).toBe(first);
});

test('build: a change of the compiler’s settings or of a package makes it stale', () => {
  const before = fingerprintSources(root);
  write('tsconfig.json', {});
  const after = fingerprintSources(root);
  write('package-lock.json', {});
  expect(new Set([before, after, fingerprintSources(root)]).size).toBe(3);
});

test('build: tests and documents are not sources', () => {
  write('test/a.test.ts', '');
  write('README.md', '');
  expect(listSources(root)).toEqual([]);
});
