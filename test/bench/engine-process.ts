/** Our side: a real replicator process for the links of one source, driven as the runner drives it. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkpointKey } from '../../engine/apply/checkpoint.ts';
import type { Connection } from '../../engine/connect/connection.ts';
import type { Whereabouts } from '../../engine/connect/discovery.ts';
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import type { FromReplicator, LinkStatus } from '../../engine/link/messages.ts';
import { DEFAULT_ENGINE_OPTIONS, type LinkOptions } from '../../engine/link/options.ts';
import { ReplicatorHandle } from '../../runner/run/replicator-handle.ts';
import { until } from './stopwatch.ts';

const LINK = 'bench';

export class EngineProcess {
  readonly #handle: ReplicatorHandle;
  readonly #messages: FromReplicator[];
  readonly #links: number;
  #lastStatus: LinkStatus | undefined;

  private constructor(handle: ReplicatorHandle, messages: FromReplicator[], links: number) {
    this.#links = links;
    this.#handle = handle;
    this.#messages = messages;
  }

  /** Starts the process and gives it its orders at last: when this resolves it has just begun to work. */
  static start(source: Endpoint, target: Endpoint): Promise<EngineProcess> {
    return EngineProcess.startLinks(source, [{ id: LINK, target }]);
  }

  /** As `start`, with any links of one source. */
  static async startLinks(source: Whereabouts, links: LinkOptions[]): Promise<EngineProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'redis-sync-bench-'));
    const messages: FromReplicator[] = [];
    const handle = await ReplicatorHandle.start({
      name: 'bench',
      logFile: join(folder, 'replicator.log'),
      options: {
        source,
        links,
        engine: { ...DEFAULT_ENGINE_OPTIONS, heartbeatMs: 0 },
        spoolFolder: join(folder, 'spool'),
      },
      onStarted: () => undefined,
      onMessage: (message) => messages.push(message),
      onDied: (error) => {
        throw error;
      },
    });
    return new EngineProcess(handle, messages, links.length);
  }

  /** All of its links have their full sync. */
  async synchronized(): Promise<void> {
    await until('in sync', () => {
      this.#throwIfFailed();
      return this.#messages.filter((message) => message.kind === 'sync-finished').length >= this.#links;
    });
  }

  /** Asks the target, as the replica of the reference is asked: whoever asks the engine itself slows it. */
  async reached(offset: bigint, target: Connection, link = LINK): Promise<void> {
    await until('caught up', async () => {
      this.#throwIfFailed();
      const applied = await target.call('HGET', checkpointKey(link), 'offset');
      return Buffer.isBuffer(applied) && BigInt(applied.toString()) >= offset;
    });
  }

  async status(): Promise<LinkStatus> {
    const [status] = await this.#handle.status();
    if (status === undefined) throw new Error('the replicator tells no status');
    this.#lastStatus = status;
    return status;
  }

  /** What `status` answered last: a frozen process cannot be asked. */
  lastStatus(): LinkStatus {
    if (this.#lastStatus === undefined) throw new Error('the status was never asked');
    return this.#lastStatus;
  }

  get pid(): number {
    if (this.#handle.pid === undefined) throw new Error('the replicator has no process');
    return this.#handle.pid;
  }

  async stop(): Promise<void> {
    await this.#handle.stop();
  }

  #throwIfFailed(): void {
    const failed = this.#messages.find((message) => message.kind === 'link-failed');
    if (failed?.kind === 'link-failed') throw new Error(failed.error.message);
  }
}
