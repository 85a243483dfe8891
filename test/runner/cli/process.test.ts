/** The built program as a process: exit codes that leave it, and pipes that close. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');
let build = '';

beforeAll(() => {
  const cache = join(ROOT, 'node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  build = mkdtempSync(join(cache, 'cli-test-'));
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  spawnSync(process.execPath, [tsc, '-p', join(ROOT, 'tsconfig.build.json'), '--outDir', build], {
    cwd: ROOT,
  });
});
afterAll(() => rmSync(build, { recursive: true }));

async function runProgram(
  argv: string[],
  onStart?: (child: ReturnType<typeof spawn>) => void,
): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [join(build, 'runner/bin.js'), ...argv], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  if (onStart !== undefined) {
    onStart(child);
    return { code: await exited, out: '', err: await text(child.stderr) };
  }
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await exited, out, err };
}

test('exit codes leave the process, results are on stdout', async () => {
  const valid = await runProgram(['validate', 'specs/one-way.yaml', 'specs/minimal.yaml']);
  expect(valid).toEqual({ code: 0, out: 'specs/one-way.yaml: ok\nspecs/minimal.yaml: ok\n', err: '' });
  const missing = await runProgram(['plan', 'specs/nowhere-near.yaml']);
  expect([missing.code, missing.out]).toEqual([2, '']);
  expect(missing.err).toContain('specs/nowhere-near.yaml: there is no such file');
});

test('a reader that goes away (| head) is no error', async () => {
  const { code, err } = await runProgram(['schema'], (child) => child.stdout?.destroy());
  expect({ code, err }).toEqual({ code: 0, err: '' });
});

test('a replicator without a parent', async () => {
  const { code, err } = await runProgram(['replicator']);
  expect(code).toBe(2);
  expect(err).toContain('no parent to talk to');
});
