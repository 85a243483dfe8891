import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  findServerBinary,
  parseVersionOutput,
  versionFits,
} from '../../../runner/provision/server-binary.ts';

let folder = '';

async function program(name: string, says: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\necho '${says}'\n`);
  await chmod(path, 0o755);
  return path;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'redis-sync-binaries-'));
  await program(
    'redis-server',
    'Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=ae4d7c971a948f0',
  );
  await program(
    'valkey-server',
    'Valkey server v=8.0.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=1',
  );
  await program('cat', 'meow');
  await writeFile(join(folder, 'not-executable'), '');
});
afterAll(() => rm(folder, { recursive: true }));

const find = (binary: string, version: string, path = folder): Promise<unknown> =>
  findServerBinary({ instance: 'source', binary, version, baseFolder: folder, path });

test.each([
  ['7.0.15', '', true],
  ['7.0.15', '7', true],
  ['7.0.15', '7.0', true],
  ['7.0.15', '7.0.15', true],
  ['7.0.15', '7.2', false],
  ['7.0.15', '7.0.1', false],
  ['70.1.0', '7', false],
  ['8.0.1', '7', false],
])('version %s fits wanted %j: %s', (found, wanted, fits) => {
  expect(versionFits(found, wanted)).toBe(fits);
});

test('reads what redis-server and valkey-server say about their version', () => {
  expect(parseVersionOutput('Redis server v=7.0.15 sha=00000000:0\n')).toEqual({
    server: 'redis',
    version: '7.0.15',
  });
  expect(parseVersionOutput('Valkey server v=8.0.1 sha=1\n')).toEqual({ server: 'valkey', version: '8.0.1' });
  expect(parseVersionOutput('redis-cli 7.0.15\n')).toBeUndefined();
});

test('takes redis-server before valkey-server', async () => {
  expect(await find('', '')).toEqual({
    path: join(folder, 'redis-server'),
    server: 'redis',
    version: '7.0.15',
  });
});

test('takes valkey-server when only it has the wanted version', async () => {
  expect(await find('', '8')).toMatchObject({ server: 'valkey', version: '8.0.1' });
});

test('a binary given as a path is taken from the folder of the spec', async () => {
  expect(await find('./valkey-server', '8.0')).toMatchObject({ path: join(folder, 'valkey-server') });
});

test('a version that is not there: names what was found and what was wanted', async () => {
  await expect(find('', '6.2')).rejects.toMatchObject({
    code: 'PROVISION',
    where: 'source',
    message: `The spec wants version 6.2, found redis 7.0.15 (${folder}/redis-server) and valkey 8.0.1 (${folder}/valkey-server).`,
  });
});

test('no server on the PATH: says what was looked for and how to get one', async () => {
  await expect(find('', '', '/nonexistent')).rejects.toMatchObject({
    code: 'PROVISION',
    message: 'There is no redis-server or valkey-server on the PATH.',
    hint: expect.stringContaining('apt-get install redis-server'),
  });
});

test.each(['./missing', './not-executable', 'missing-from-path'])(
  'a named binary that cannot be run (%s)',
  async (binary) => {
    await expect(find(binary, '')).rejects.toMatchObject({
      code: 'PROVISION',
      message: expect.stringContaining('not there, or not executable'),
    });
  },
);

test('a binary that is something else', async () => {
  await expect(find('cat', '')).rejects.toMatchObject({
    code: 'PROVISION',
    message: expect.stringContaining('"meow\\n"'),
  });
});
