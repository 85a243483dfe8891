/** However the runner ends, no server of its run survives it. The runner is a process of its own here. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isAlive, signalProcess } from '../../../runner/provision/process-identity.mjs';
import type { ProcessRecord } from '../../../runner/provision/process-ledger.ts';

const PROGRAM = 'test/runner/provision/programs/provision-and-wait.ts';

let runFolder = '';
let runner: ChildProcessByStdio<null, Readable, null>;

beforeEach(async () => {
  runFolder = await mkdtemp(join(tmpdir(), 'redis-sync-run-'));
});

afterEach(async () => {
  runner.kill('SIGKILL');
  for (const record of records()) signalProcess(record, 'SIGKILL');
  await gone();
  await rm(runFolder, { recursive: true });
});

/** Starts the runner; resolves when its servers are up. */
async function start(keep: 'keep' | 'end', onInterrupt: 'handle' | 'die'): Promise<ProcessRecord[]> {
  runner = spawn(
    process.execPath,
    ['test/support/run-typescript.mjs', PROGRAM, runFolder, keep, onInterrupt],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  await once(runner.stdout, 'data');
  const started = records();
  expect(started.map((record) => isAlive(record))).toEqual([true, true]);
  return started;
}

function records(): ProcessRecord[] {
  const parsed: ProcessRecord[] = JSON.parse(readFileSync(join(runFolder, 'processes.json'), 'utf8'));
  return parsed;
}

/** Waits, as long as the test may take, until every recorded process is gone. */
async function gone(): Promise<boolean> {
  while (records().some((record) => isAlive(record))) await new Promise((resolve) => setTimeout(resolve, 10));
  return true;
}

test('SIGKILL of the runner', async () => {
  await start('end', 'handle');
  runner.kill('SIGKILL');
  expect(await gone()).toBe(true);
});

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s without a handler', async (signal) => {
  await start('end', 'die');
  runner.kill(signal);
  expect(await gone()).toBe(true);
});

test('SIGINT with a handler: the runner tears down by itself and says so in its record', async () => {
  await start('end', 'handle');
  runner.kill('SIGINT');
  const [code]: unknown[] = await once(runner, 'exit');
  expect(code).toBe(0);
  expect(records().map((record) => record.endedAt !== undefined)).toEqual([true, true]);
  expect(records().some((record) => isAlive(record))).toBe(false);
});

test('SIGINT reaches the runner only: its servers live in sessions of their own', async () => {
  const started = await start('end', 'handle');
  for (const record of started) {
    const [, , , , session] = readFileSync(`/proc/${record.pid}/stat`, 'latin1')
      .replace(/^.*\) /, '_ _ ')
      .split(' ');
    expect(Number(session)).toBe(record.pid);
  }
});

test('keep: they outlive the runner, even its SIGKILL', async () => {
  const started = await start('keep', 'handle');
  runner.kill('SIGKILL');
  await once(runner, 'exit');
  expect(started.map((record) => isAlive(record))).toEqual([true, true]);
});
