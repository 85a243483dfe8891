/** Our side: a real replicator process for one link, driven as the runner drives it. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import type { FromReplicator, LinkStatus } from '../../engine/link/messages.ts';
import { DEFAULT_ENGINE_OPTIONS } from '../../engine/link/options.ts';
import { ReplicatorHandle } from '../../runner/run/replicator-handle.ts';
import { until } from './stopwatch.ts';

export class EngineProcess {
  readonly #handle: ReplicatorHandle;
  readonly #messages: FromReplicator[];

  private constructor(handle: ReplicatorHandle, messages: FromReplicator[]) {
    this.#handle = handle;
    this.#messages = messages;
  }

  /** Starts the process and gives it its orders at last: when this resolves it has just begun to work. */
  static async start(source: Endpoint, target: Endpoint): Promise<EngineProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'redis-sync-bench-'));
    const messages: FromReplicator[] = [];
    const handle = await ReplicatorHandle.start({
      name: 'bench',
      logFile: join(folder, 'replicator.log'),
      options: {
        source,
        links: [{ id: 'bench', target }],
        engine: { ...DEFAULT_ENGINE_OPTIONS, heartbeatMs: 0 },
        spoolFolder: join(folder, 'spool'),
      },
      onStarted: () => undefined,
      onMessage: (message) => messages.push(message),
      onDied: (error) => {
        throw error;
      },
    });
    return new EngineProcess(handle, messages);
  }

  async synchronized(): Promise<void> {
    await until('in sync', () => {
      this.#throwIfFailed();
      return this.#messages.some((message) => message.kind === 'sync-finished');
    });
  }

  async reached(offset: bigint): Promise<void> {
    await until('caught up', async () => {
      this.#throwIfFailed();
      return BigInt((await this.status()).appliedOffset) >= offset;
    });
  }

  async status(): Promise<LinkStatus> {
    const [status] = await this.#handle.status();
    if (status === undefined) throw new Error('the replicator tells no status');
    return status;
  }

  stop(): Promise<void> {
    return this.#handle.stop();
  }

  #throwIfFailed(): void {
    const failed = this.#messages.find((message) => message.kind === 'link-failed');
    if (failed?.kind === 'link-failed') throw new Error(failed.error.message);
  }
}
