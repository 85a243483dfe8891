/** A replicator process as the runner sees it: started, told, watched, ended by its pid. */
import { fork, type ChildProcess } from 'node:child_process';
import { createWriteStream, existsSync, type WriteStream } from 'node:fs';
import { asError, SyncError } from '../../engine/errors.ts';
import type { FromReplicator, LinkStatus, ToReplicator } from '../../engine/link/messages.ts';
import type { ReplicatorOptions } from '../../engine/link/options.ts';
import { REPLICATOR_ENVIRONMENT, REPLICATOR_FLAGS } from '../../engine/link/process-memory.ts';
import { readProcess } from '../provision/process-identity.mjs';
import { COMMAND_FILE } from './command-file.ts';

const START_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 20_000;
const STATUS_TIMEOUT_MS = 2000;

export interface ReplicatorHandleOptions {
  /** Source instance, for messages. */
  name: string;
  options: ReplicatorOptions;
  logFile: string;
  /** What the built command is to be, when it is not the replicator: a known-bad engine. */
  command?: readonly string[];
  /** Called in the tick the process starts. */
  onStarted: (pid: number) => void;
  onMessage: (message: FromReplicator) => void;
  /** It ended without being told to: died, was ended by somebody, or none of its links could go on. */
  onDied: (error: SyncError) => void;
}

export class ReplicatorHandle {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #options: ReplicatorHandleOptions;
  readonly #log: WriteStream;
  readonly #exited: Promise<void>;
  #statuses: LinkStatus[] = [];
  #waiters: ((statuses: LinkStatus[]) => void)[] = [];
  #stopping = false;

  private constructor(options: ReplicatorHandleOptions) {
    this.name = options.name;
    this.#options = options;
    this.#log = createWriteStream(options.logFile, { flags: 'a' });
    // A process group of its own would outlive us on a hard kill; over IPC it notices that we are gone and finishes.
    this.#child = fork(COMMAND_FILE, options.command ?? ['replicator'], {
      execArgv: [...process.execArgv, ...REPLICATOR_FLAGS],
      env: { ...REPLICATOR_ENVIRONMENT, ...process.env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'json',
    });
    if (this.#child.pid !== undefined) options.onStarted(this.#child.pid);
    this.#note({ kind: 'started', pid: this.#child.pid, node: process.version });
    this.#child.stdout?.pipe(this.#log, { end: false });
    this.#child.stderr?.pipe(this.#log, { end: false });
    this.#child.on('message', (message: FromReplicator) => this.#onMessage(message));
    this.#child.once('exit', (code, signal) => this.#onExit(code, signal));
    // `close`, not `exit`: its last words may still be in the pipes.
    this.#exited = new Promise((resolve) => this.#child.once('close', () => resolve()));
  }

  /** Resolves when the process has taken its orders. @throws SyncError INTERNAL when it does not come up. */
  static async start(options: ReplicatorHandleOptions): Promise<ReplicatorHandle> {
    if (!existsSync(COMMAND_FILE)) {
      throw new SyncError('INTERNAL', 'The built command is missing.', {
        where: COMMAND_FILE,
        hint: 'Run `npm run build`.',
      });
    }
    const handle = new ReplicatorHandle(options);
    await handle.#ready();
    handle.#send({ kind: 'start', options: options.options });
    return handle;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** The newest status of every link. */
  get statuses(): readonly LinkStatus[] {
    return this.#statuses;
  }

  /** A fresh status; the last known one when the process is gone or does not answer. */
  async status(): Promise<LinkStatus[]> {
    if (!this.#child.connected) return this.#statuses;
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(this.#statuses), STATUS_TIMEOUT_MS);
      this.#waiters.push((statuses) => {
        clearTimeout(timer);
        resolve(statuses);
      });
      this.#send({ kind: 'status' });
    });
  }

  /** One more source in the same process. */
  host(options: ReplicatorOptions): void {
    this.#send({ kind: 'start', options });
  }

  /** The source is quiet and everything is applied: the target gets its true deadlines. */
  settle(link: string): void {
    this.#send({ kind: 'settle', link });
  }

  /**
   * Applies what was received, writes the last checkpoint, ends. Kills by pid after `limitMs`: the checkpoint on the
   * target tells how far it came.
   */
  async stop(limitMs = STOP_TIMEOUT_MS): Promise<boolean> {
    this.#stopping = true;
    this.#send({ kind: 'stop' });
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), limitMs);
    await this.#exited;
    clearTimeout(timer);
    await new Promise<void>((resolve) => this.#log.end(resolve));
    return this.#child.exitCode === 0;
  }

  /** At once, without draining. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.#stopping = true;
    this.#child.kill('SIGKILL');
    await this.#exited;
    if (!this.#log.writableEnded) await new Promise<void>((resolve) => this.#log.end(resolve));
  }

  /** SIGSTOP; resolves when it stands still, or is gone. */
  async freeze(): Promise<void> {
    const { pid } = this.#child;
    if (pid === undefined) return;
    this.#child.kill('SIGSTOP');
    while (!(readProcess(pid)?.state ?? 'T').startsWith('T'))
      await new Promise((resolve) => setTimeout(resolve, 1));
  }

  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  /** Something that takes effect while it runs. Lost when the process is gone. */
  tell(message: Exclude<ToReplicator, { kind: 'start' | 'status' | 'stop' }>): void {
    this.#send(message);
  }

  #send(message: ToReplicator): void {
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  #ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => {
        this.#child.kill('SIGKILL');
        reject(
          new SyncError('INTERNAL', `The replicator of ${this.name} did not start: ${why}.`, {
            where: this.#options.logFile,
          }),
        );
      };
      const timer = setTimeout(() => fail(`no answer in ${START_TIMEOUT_MS / 1000} s`), START_TIMEOUT_MS);
      this.#child.once('error', (error) => fail(asError(error).message));
      this.#child.once('exit', () => fail('it ended at once'));
      this.#child.on('message', (message: FromReplicator) => {
        if (message.kind !== 'ready') return;
        clearTimeout(timer);
        this.#child.removeAllListeners('error');
        this.#child.on('error', () => undefined);
        resolve();
      });
    });
  }

  #onMessage(message: FromReplicator): void {
    if (message.kind === 'status') {
      this.#statuses = message.links;
      for (const resolve of this.#waiters.splice(0)) resolve(message.links);
    }
    // Statuses come twice a second and are in the history; everything else is worth keeping.
    else this.#note(message);
    this.#options.onMessage(message);
  }

  #note(entry: object): void {
    this.#log.write(`${JSON.stringify({ at: new Date().toISOString(), ...entry })}\n`);
  }

  #onExit(code: number | null, signal: NodeJS.Signals | null): void {
    this.#note({ kind: 'ended', code, signal, told: this.#stopping });
    for (const resolve of this.#waiters.splice(0)) resolve(this.#statuses);
    if (this.#stopping) return;
    this.#options.onDied(
      new SyncError('INTERNAL', `The replicator of ${this.name} ${wordEnd(code, signal)}.`, {
        where: this.#options.logFile,
        hint:
          signal === 'SIGKILL'
            ? 'Somebody ended it, or the system did for want of memory. What it had applied is safe: the checkpoint is on the target.'
            : 'Its log says why. What it had applied is safe: the checkpoint is on the target.',
      }),
    );
  }
}

function wordEnd(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal !== null) return `died (${signal})`;
  return code === 0 ? 'ended without being told to' : `died (exit code ${code})`;
}
