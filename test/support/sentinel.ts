/** Starts a real Sentinel for a test: loopback, free port, private folder, ended by the pid we recorded. Fails over within a second or two. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '../../engine/connect/connection.ts';
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import { freePort } from './server.ts';

export interface TestSentinel extends AsyncDisposable {
  readonly endpoint: Endpoint;
  log(): string;
  stop(): Promise<void>;
}

export interface SentinelOptions {
  /** The name under which it watches. */
  name: string;
  primary: Endpoint;
  quorum?: number;
  /** Further lines of its configuration. */
  config?: readonly string[];
}

export async function startSentinel(options: SentinelOptions): Promise<TestSentinel> {
  const { name, primary, quorum = 2, config = [] } = options;
  const folder = await mkdtemp(join(tmpdir(), 'redis-sync-sentinel-'));
  const port = await freePort();
  const file = join(folder, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor ${name} ${primary.host} ${primary.port} ${quorum}`,
    `sentinel down-after-milliseconds ${name} 500`,
    `sentinel failover-timeout ${name} 4000`,
    ...config,
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  const child = spawn('redis-server', [file, '--sentinel'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('latin1')));
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exited;
    await rm(folder, { recursive: true, force: true });
  };
  const endpoint = { host: '127.0.0.1', port };
  for (let attempt = 0; !(await answers(endpoint)); attempt++) {
    if (child.exitCode !== null || attempt > 400) {
      await stop();
      throw new Error(`The Sentinel did not start: ${output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return { endpoint, log: () => output, stop, [Symbol.asyncDispose]: stop };
}

async function answers(endpoint: Endpoint): Promise<boolean> {
  try {
    await using connection = await Connection.open(endpoint);
    // Also one that wants a password first is there.
    return (await connection.tryCall('PING')) !== null;
  } catch {
    return false;
  }
}
