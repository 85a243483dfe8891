/**
 * Starts a real redis-server for a test: loopback, free port, private folder, ended by the pid we recorded. For tests
 * of rooms below the runner; the product's own provisioner has tests of its own.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Endpoint } from '../../engine/connect/endpoint.ts';

export interface TestServer extends AsyncDisposable {
  readonly endpoint: Endpoint;
  readonly port: number;
  readonly pid: number;
  readonly folder: string;
  /** Everything the server printed so far. */
  log(): string;
  stop(): Promise<void>;
}

/** As a spec names it. */
export function urlOf({ port }: Pick<TestServer, 'port'>): string {
  return `redis://127.0.0.1:${port}`;
}

/** A loopback port nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/**
 * Starts a server with the given directives (`{ 'repl-diskless-sync-delay': '0' }`); resolves when it answers PING. With a
 * `port` it takes that one: the place of a server that was stopped.
 */
export async function startServer(
  config: Record<string, string> = {},
  binary = process.env['REDIS_SYNC_SERVER'] ?? 'redis-server',
): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'redis-sync-test-'));
  const port = Number(config['port'] ?? (await freePort()));
  const directives: Record<string, string> = {
    port: String(port),
    bind: '127.0.0.1',
    dir: folder,
    save: '',
    appendonly: 'no',
    'repl-diskless-sync-delay': '0',
    ...config,
  };
  const args = Object.entries(directives).flatMap(([name, value]) => [
    `--${name}`,
    ...(value.includes(' ') ? value.split(' ') : [value]),
  ]);
  const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('latin1')));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString('latin1')));
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exited;
    await rm(folder, { recursive: true, force: true });
  };
  for (let attempt = 0; !(await answersPing(port)); attempt++) {
    if (child.exitCode !== null || attempt > 400) {
      await stop();
      throw new Error(`${binary} did not start: ${output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return {
    endpoint: { host: '127.0.0.1', port },
    port,
    pid: child.pid ?? -1,
    folder,
    log: () => output,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const finish = (ok: boolean): void => {
      socket.destroy();
      resolve(ok);
    };
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (data) =>
      finish(data.toString().startsWith('+PONG') || data.toString().startsWith('-NOAUTH')),
    );
    socket.once('error', () => finish(false));
  });
}
