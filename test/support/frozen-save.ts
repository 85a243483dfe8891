/**
 * Freezes the children that are saving a snapshot: a full sync that lasts exactly as long as a test wants. The servers need
 * `rdb-key-save-delay`, or the children are gone before anybody finds them.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { TestServer } from './server.ts';

const run = promisify(execFile);

/** @returns what lets them go on. @throws when one of the servers is not saving. */
export async function freezeSaves(servers: readonly TestServer[]): Promise<() => void> {
  const children = await Promise.all(servers.map(({ pid }) => childOf(pid)));
  for (const child of children) process.kill(child, 'SIGSTOP');
  return () => {
    for (const child of children) process.kill(child, 'SIGCONT');
  };
}

async function childOf(pid: number): Promise<number> {
  const { stdout } = await run('pgrep', ['-P', String(pid)]);
  return Number(stdout.trim().split('\n')[0]);
}
