/** Runs one shell command with a time limit and bounded output, and ends everything it started. */
import { spawn } from 'node:child_process';
import type { Clock } from '../timeline/clock.ts';

export interface ShellOptions {
  env: Record<string, string>;
  timeoutMs: number;
  signal: AbortSignal;
  clock: Clock;
  /** Kept of stdout and of stderr, from the end: that is where the reason is. */
  outputBytesMax: number;
}

export interface ShellResult {
  /** null when it was ended by a signal or did not start. */
  exitCode: number | null;
  /** Why it did not end by itself. */
  ended: 'exit' | 'timeout' | 'aborted' | 'signal' | 'not-started';
  stdout: string;
  stderr: string;
  durationMs: number;
}

/** Time for the pipes to run empty after the shell has ended, before what holds them open is ended too. */
const LEFTOVER_GRACE_MS = 500;

/**
 * `sh -c command`. On timeout or abort its whole process group gets SIGKILL, and so does what the shell left running with
 * our pipes open: nothing stays behind that did not go out of its way (`setsid`). Never throws: what happened is the result.
 */
export function runShell(command: string, options: ShellOptions): Promise<ShellResult> {
  const startedMs = options.clock.nowMs();
  const stdout = new Tail(options.outputBytesMax);
  const stderr = new Tail(options.outputBytesMax);
  return new Promise((resolve) => {
    let ended: ShellResult['ended'] = 'exit';
    const child = spawn('sh', ['-c', command], {
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const end = (why: 'timeout' | 'aborted'): void => {
      ended = why;
      killGroup(child.pid);
    };
    const onAbort = (): void => end('aborted');
    const cancelTimeout = options.clock.schedule(options.timeoutMs, () => end('timeout'));
    options.signal.addEventListener('abort', onAbort, { once: true });
    if (options.signal.aborted) onAbort();
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    const finish = (exitCode: number | null, how: ShellResult['ended']): void => {
      cancelTimeout();
      options.signal.removeEventListener('abort', onAbort);
      const durationMs = options.clock.nowMs() - startedMs;
      resolve({ exitCode, ended: how, stdout: stdout.text(), stderr: stderr.text(), durationMs });
    };
    child.once('error', (error) => {
      stderr.push(Buffer.from(error.message));
      finish(null, 'not-started');
    });
    child.once('exit', () => {
      // A process of the group that is still there keeps its number from being given to another group.
      const cancelGrace = options.clock.schedule(LEFTOVER_GRACE_MS, () => killGroup(child.pid));
      child.once('close', cancelGrace);
    });
    child.once('close', (exitCode, signal) => {
      finish(exitCode, signal !== null && ended === 'exit' ? 'signal' : ended);
    });
  });
}

/** The group is the shell's own (it was started as its leader), so nothing else can be in it. */
function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Already gone.
  }
}

/** The last bytes of a stream. */
class Tail {
  readonly #bytesMax: number;
  #kept = Buffer.alloc(0);
  #dropped = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  push(chunk: Buffer): void {
    const all = Buffer.concat([this.#kept, chunk]);
    const surplus = Math.max(0, all.length - this.#bytesMax);
    this.#dropped += surplus;
    this.#kept = all.subarray(surplus);
  }

  text(): string {
    const text = this.#kept.toString('utf8');
    return this.#dropped > 0 ? `(${this.#dropped} bytes before)… ${text}` : text;
  }
}
