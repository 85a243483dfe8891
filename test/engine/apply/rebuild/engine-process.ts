/** An engine in a process of its own, whose memory can be measured. Test support only. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Endpoint } from '../../../../engine/connect/endpoint.ts';
import type { FromReplicator } from '../../../../engine/link/messages.ts';
import { DEFAULT_ENGINE_OPTIONS } from '../../../../engine/link/options.ts';
import { REPLICATOR_ENVIRONMENT, REPLICATOR_FLAGS } from '../../../../engine/link/process-memory.ts';

export class EngineProcess implements AsyncDisposable {
  readonly messages: FromReplicator[] = [];
  readonly #child: ChildProcess;
  readonly #folder: string;
  #wake: (() => void)[] = [];
  /** Peak resident memory before it had anything to do. */
  #idleBytes: number | undefined;

  private constructor(folder: string) {
    this.#folder = folder;
    // What runs the sources holds a compiler, and with it a heap that is collected later: the largest values need a build.
    const [program, ...args] =
      process.env['REDIS_SYNC_BIG'] === '1'
        ? [resolve('dist/runner/bin.js'), 'replicator']
        : [resolve('test/support/run-typescript.mjs'), resolve('test/engine/link/programs/replicator.ts')];
    this.#child = fork(
      program,
      args,
      // As the runner starts it.
      {
        execArgv: [...REPLICATOR_FLAGS],
        env: { ...REPLICATOR_ENVIRONMENT, ...process.env },
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      },
    );
    this.#child.on('message', (message: FromReplicator) => {
      this.messages.push(message);
      for (const wake of this.#wake.splice(0)) wake();
    });
  }

  static async start(source: Endpoint, target: Endpoint): Promise<EngineProcess> {
    const engine = new EngineProcess(await mkdtemp(join(tmpdir(), 'redis-sync-big-')));
    await engine.heard('ready');
    engine.#idleBytes = await engine.#peakBytes();
    engine.#child.send({
      kind: 'start',
      options: {
        source,
        links: [{ id: 'big', target }],
        engine: { ...DEFAULT_ENGINE_OPTIONS, heartbeatMs: 0, existing: 'merge' },
        spoolFolder: join(engine.#folder, 'spool'),
      },
    });
    return engine;
  }

  /** Resolves when a message of this kind was said. @throws when the link fails first. */
  async heard(kind: FromReplicator['kind']): Promise<void> {
    while (!this.messages.some((message) => message.kind === kind)) {
      const failed = this.messages.find((message) => message.kind === 'link-failed');
      if (failed?.kind === 'link-failed') throw new Error(failed.error.message);
      await new Promise<void>((wake) => this.#wake.push(wake));
    }
  }

  /** Peak resident memory, and how much of it came since it was idle, MiB; undefined where the system does not tell. */
  async memory(): Promise<{ peakMib: number; grownMib: number } | undefined> {
    const peak = await this.#peakBytes();
    if (peak === undefined || this.#idleBytes === undefined) return undefined;
    return { peakMib: peak / 2 ** 20, grownMib: (peak - this.#idleBytes) / 2 ** 20 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #peakBytes(): Promise<number | undefined> {
    const status = await readFile(`/proc/${this.#child.pid}/status`, 'utf8').catch(() => '');
    const kilobytes = /^VmHWM:\s+(\d+)/m.exec(status)?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  }
}
