/** The fault proxy's process as the runner sees it: started, told, asked, ended by its pid. */
import { fork, type ChildProcess } from 'node:child_process';
import { createWriteStream, existsSync, type WriteStream } from 'node:fs';
import { SyncError } from '../../engine/errors.ts';
import type { GateControl } from '../../scenarios/proxy/gate-control.ts';
import type { FromProxy, GateStatus, ToProxy } from '../../scenarios/proxy/messages.ts';
import { COMMAND_FILE } from './command-file.ts';

const START_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 2000;

type Request = Exclude<ToProxy, { kind: 'stop' }>;
/** A request without its number; the union stays a union. */
type Unnumbered<T> = T extends Request ? Omit<T, 'id'> : never;

export interface ProxyHandleOptions {
  logFile: string;
  /** Called in the tick the process starts. */
  onStarted: (pid: number) => void;
}

export class ProxyHandle implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #log: WriteStream;
  readonly #exited: Promise<void>;
  readonly #waiting = new Map<number, { resolve: (answer: FromProxy) => void; reject: (e: Error) => void }>();
  readonly #watchers = new Map<string, () => void>();
  #requests = 0;

  private constructor({ logFile, onStarted }: ProxyHandleOptions) {
    this.#log = createWriteStream(logFile, { flags: 'a' });
    this.#child = fork(COMMAND_FILE, ['proxy'], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'json',
    });
    if (this.#child.pid !== undefined) onStarted(this.#child.pid);
    this.#child.stdout?.pipe(this.#log, { end: false });
    this.#child.stderr?.pipe(this.#log, { end: false });
    this.#child.on('error', () => undefined);
    this.#child.on('message', (message: FromProxy) => this.#onMessage(message));
    this.#exited = new Promise((resolve) => this.#child.once('close', () => resolve()));
    void this.#exited.then(() => this.#failAll());
  }

  /** @throws SyncError INTERNAL when it does not come up. */
  static async start(options: ProxyHandleOptions): Promise<ProxyHandle> {
    if (!existsSync(COMMAND_FILE)) {
      throw new SyncError('INTERNAL', 'The built command is missing.', {
        where: COMMAND_FILE,
        hint: 'Run `npm run build`.',
      });
    }
    const handle = new ProxyHandle(options);
    await handle.#ready(options.logFile);
    return handle;
  }

  /** One more door of a gate. @returns its loopback port. */
  async open(gate: string, server: { host: string; port: number }): Promise<number> {
    const { host, port } = server;
    const answer = await this.#ask({ kind: 'open', gate, host, port });
    if (answer.kind !== 'opened') throw gone();
    return answer.port;
  }

  gate(name: string): GateControl {
    const tell = async (request: Unnumbered<Request>): Promise<void> => void (await this.#ask(request));
    /** What is taken away with the process needs no telling. */
    const undo = (request: Unnumbered<Request>): Promise<void> =>
      this.#child.connected ? tell(request) : Promise.resolve();
    return {
      name,
      add: (toxic) => tell({ kind: 'add', gate: name, toxic }),
      remove: (toxic) => undo({ kind: 'remove', gate: name, toxic }),
      reset: () => tell({ kind: 'reset', gate: name }),
      status: () => this.#status(name),
      watch: (watch, onReached) => {
        this.#watchers.set(`${name} ${watch.name}`, onReached);
        return tell({ kind: 'watch', watch: { ...watch, gate: name } });
      },
      release: (watch) => undo({ kind: 'release', gate: name, watch }),
    };
  }

  /** Ends the process, with every connection through it. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.connected) this.#child.send({ kind: 'stop' } satisfies ToProxy, () => undefined);
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.#exited;
    clearTimeout(timer);
    if (!this.#log.writableEnded) await new Promise<void>((resolve) => this.#log.end(resolve));
  }

  async #status(gate: string): Promise<GateStatus> {
    const answer = await this.#ask({ kind: 'status', gate });
    if (answer.kind !== 'status') throw gone();
    return answer.status;
  }

  #ask(request: Unnumbered<Request>): Promise<FromProxy> {
    const id = ++this.#requests;
    return new Promise((resolve, reject) => {
      if (!this.#child.connected) return reject(gone());
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ ...request, id }, () => undefined);
    });
  }

  #onMessage(message: FromProxy): void {
    if (message.kind === 'ready') return;
    if (message.kind === 'reached') {
      const key = `${message.gate} ${message.watch}`;
      const onReached = this.#watchers.get(key);
      this.#watchers.delete(key);
      onReached?.();
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.kind === 'failed') waiting?.reject(new SyncError('INTERNAL', message.message));
    else waiting?.resolve(message);
  }

  #failAll(): void {
    for (const { reject } of this.#waiting.values()) reject(gone());
    this.#waiting.clear();
  }

  #ready(logFile: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => {
        this.#child.kill('SIGKILL');
        reject(new SyncError('INTERNAL', `The fault proxy did not start: ${why}.`, { where: logFile }));
      };
      const timer = setTimeout(() => fail(`no answer in ${START_TIMEOUT_MS / 1000} s`), START_TIMEOUT_MS);
      const onExit = (): void => fail('it ended at once');
      this.#child.once('exit', onExit);
      this.#child.on('message', (message: FromProxy) => {
        if (message.kind !== 'ready') return;
        clearTimeout(timer);
        this.#child.off('exit', onExit);
        resolve();
      });
    });
  }
}

function gone(): SyncError {
  return new SyncError('INTERNAL', 'The fault proxy is gone.', { hint: 'Its log is in the run folder.' });
}
