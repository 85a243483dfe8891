/** One life of the engine: a real replicator process from its start until it is killed or stopped. */
import type { Endpoint } from '../../engine/connect/endpoint.ts';
import type { FromReplicator, LinkStatus } from '../../engine/link/messages.ts';
import type { EngineOptions } from '../../engine/link/options.ts';
import { ReplicatorHandle } from '../../runner/run/replicator-handle.ts';
import type { Phase } from './schedule.ts';

export const LINK = 'torture';

export interface EngineLifeOptions {
  source: Endpoint;
  target: Endpoint;
  engine: EngineOptions;
  logFile: string;
  spoolFolder: string;
  /** Everything it says but its statuses. */
  onMessage: (message: FromReplicator) => void;
  /** It ended, and nobody wanted it to. */
  onDied: (why: string) => void;
}

export class EngineLife {
  readonly #handle: ReplicatorHandle;
  readonly #seen: Progress;

  private constructor(handle: ReplicatorHandle, seen: Progress) {
    this.#handle = handle;
    this.#seen = seen;
  }

  static async start(options: EngineLifeOptions): Promise<EngineLife> {
    const seen: Progress = { phase: 'starting', failed: false };
    const handle = await ReplicatorHandle.start({
      name: LINK,
      logFile: options.logFile,
      options: {
        source: options.source,
        links: [{ id: LINK, target: options.target }],
        engine: options.engine,
        spoolFolder: options.spoolFolder,
      },
      onStarted: () => undefined,
      onMessage: (message) => {
        follow(seen, message);
        if (message.kind !== 'status') options.onMessage(message);
      },
      onDied: (error) => options.onDied(error.message),
    });
    return new EngineLife(handle, seen);
  }

  get pid(): number {
    return this.#handle.pid ?? -1;
  }

  get phase(): Phase {
    return this.#seen.phase;
  }

  /** The link has ended by itself. */
  get failed(): boolean {
    return this.#seen.failed;
  }

  async status(): Promise<LinkStatus | undefined> {
    return (await this.#handle.status())[0];
  }

  /** The source is quiet: the target gets every deadline as the source has it. */
  settle(): void {
    this.#handle.settle(LINK);
  }

  /** SIGSTOP, SIGCONT. */
  freeze(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  thaw(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  /** SIGKILL; resolves when the process is gone. */
  async kill(): Promise<void> {
    await this.#handle.kill();
  }

  /** In order: what was received is applied. */
  async stop(): Promise<void> {
    await this.#handle.stop();
  }
}

interface Progress {
  phase: Phase;
  failed: boolean;
}

function follow(seen: Progress, message: FromReplicator): void {
  if (message.kind === 'sync-started' && message.mode === 'full') seen.phase = 'full sync';
  if (message.kind === 'sync-finished') seen.phase = 'stream';
  if (message.kind === 'link-failed') seen.failed = true;
}
