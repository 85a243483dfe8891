/** A replicator as a process of its own, that a test can kill. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { FromReplicator, LinkStatus, ToReplicator } from '../../../engine/link/messages.ts';
import {
  DEFAULT_ENGINE_OPTIONS,
  type EngineOptions,
  type ReplicatorOptions,
} from '../../../engine/link/options.ts';
import { LINK, type Rehearsal } from './rehearsal.ts';

const PROGRAM = resolve('test/engine/link/programs/replicator.ts');

/** One process. */
export class Process implements AsyncDisposable {
  readonly messages: FromReplicator[] = [];
  readonly #child: ChildProcess;
  readonly #gone: Promise<unknown>;

  constructor(options: ReplicatorOptions) {
    this.#child = fork(resolve('test/support/run-typescript.mjs'), [PROGRAM], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#gone = once(this.#child, 'exit');
    this.#child.on('message', (message: FromReplicator) => {
      if (message.kind === 'ready') this.send({ kind: 'start', options });
      this.messages.push(message);
    });
  }

  send(message: ToReplicator): void {
    this.#child.send(message);
  }

  get status(): LinkStatus | undefined {
    return this.messages.findLast((message) => message.kind === 'status')?.links[0];
  }

  says(kind: FromReplicator['kind']): number {
    return this.messages.filter((message) => message.kind === kind).length;
  }

  /** Modes of the synchronizations begun. */
  get syncs(): string[] {
    return this.messages.flatMap((message) => (message.kind === 'sync-started' ? [message.mode] : []));
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#gone;
  }

  /** As when the parent dies. */
  async abandon(): Promise<void> {
    this.#child.disconnect();
    await this.#gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

/** Both ends of a rehearsal, with small envelopes and a quick heartbeat. */
export function optionsFor(rehearsal: Rehearsal, engine: Partial<EngineOptions> = {}): ReplicatorOptions {
  return {
    source: rehearsal.servers.source.endpoint,
    links: [{ id: LINK, target: rehearsal.servers.target.endpoint }],
    engine: { ...DEFAULT_ENGINE_OPTIONS, heartbeatMs: 20, watchMs: 0, envelopeCommands: 40, ...engine },
    spoolFolder: rehearsal.spoolFolder,
  };
}
