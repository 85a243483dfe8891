/**
 * The program of `driver: command`: started through the shell in a process group of its own, its output kept in a file and
 * searched for what the spec says it prints.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import { createInterface } from 'node:readline';

const STOP_TIMEOUT_MS = 10_000;
/** Kept for the message about an end that nobody asked for. */
const LAST_LINES = 5;

export interface EngineProcessOptions {
  run: string;
  folder: string;
  env: NodeJS.ProcessEnv;
  logFile: string;
  /** Called in the tick the process starts. */
  onStarted: (pid: number) => void;
  /** Every line of both streams. */
  onLine: (line: string) => void;
  /** Takes out what must not be kept. */
  redact: (line: string) => string;
}

/** How it ended by itself; `told`: after it was asked to. */
export interface EngineExit {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  told: boolean;
}

export class EngineProcess {
  exit: EngineExit | undefined;
  readonly #child: ChildProcess;
  readonly #log: WriteStream;
  readonly #closed: Promise<void>;
  readonly #lastLines: string[] = [];
  #told = false;

  constructor(options: EngineProcessOptions) {
    const { run, folder, env, logFile, onStarted, onLine, redact } = options;
    this.#log = createWriteStream(logFile, { flags: 'a' });
    this.#child = spawn('sh', ['-c', run], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    if (this.#child.pid !== undefined) onStarted(this.#child.pid);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        const shown = redact(line);
        this.#log.write(`${shown}\n`);
        this.#lastLines.push(shown);
        if (this.#lastLines.length > LAST_LINES) this.#lastLines.shift();
        onLine(line);
      });
    }
    this.#child.once('error', (error) => {
      this.#lastLines.push(error.message);
      this.exit ??= { exitCode: null, signal: null, told: this.#told };
    });
    this.#child.once('exit', (exitCode, signal) => (this.exit = { exitCode, signal, told: this.#told }));
    // `close`, not `exit`: its last words may still be in the pipes. One that never started has only an error.
    this.#closed = new Promise((resolve) => {
      this.#child.once('close', () => resolve());
      this.#child.once('error', () => resolve());
    });
  }

  /** Its last lines, for a message. */
  get lastWords(): string {
    return this.#lastLines.join(' | ');
  }

  /** SIGTERM, and SIGKILL after a while, to all of it. Idempotent. */
  async stop(): Promise<void> {
    this.#told = true;
    this.#signal('SIGTERM');
    const timer = setTimeout(() => this.#signal('SIGKILL'), STOP_TIMEOUT_MS);
    await this.#closed;
    clearTimeout(timer);
    // What the shell left behind with its output elsewhere.
    this.#signal('SIGKILL');
    if (!this.#log.writableEnded) await new Promise<void>((resolve) => this.#log.end(resolve));
  }

  /** The group is its own (it was started as its leader), so nothing else can be in it. */
  #signal(signal: NodeJS.Signals): void {
    if (this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, signal);
    } catch {
      // Already gone.
    }
  }
}
