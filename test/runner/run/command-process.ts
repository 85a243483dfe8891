/** The built command as a process of its own, the way a terminal runs it: in a group of its own, which Ctrl-C reaches as a whole. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunEvent } from '../../../reports/events.ts';
import { parseHistory } from '../../../reports/history.ts';
import { COMMAND_FILE } from '../../../runner/run/command-file.ts';

export interface Ended {
  /** null after a signal. */
  code: number | null;
  signal: NodeJS.Signals | null;
}

export class CommandProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #out: string;
  /** Everything printed so far. */
  out = '';
  err = '';
  readonly ended: Promise<Ended>;
  #ended: Ended | undefined;

  /** @param out the folder of `--out`, which is added. */
  constructor(argv: readonly string[], out: string, env: NodeJS.ProcessEnv = {}) {
    this.#out = out;
    this.#child = spawn(process.execPath, [COMMAND_FILE, ...argv, '--out', out], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1', CI: 'true', ...env },
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => (this.out += chunk.toString()));
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.err += chunk.toString()));
    this.ended = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        this.#ended = { code, signal };
        resolve(this.#ended);
      });
    });
  }

  /** Ctrl-C in a terminal: to the command and everything it started that did not leave its group. */
  interrupt(): void {
    this.#signalGroup('SIGINT');
  }

  /** To the command alone. */
  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves when the history of its run has such an event. @throws when the command ends first. */
  async event(wanted: (event: RunEvent) => boolean): Promise<RunEvent> {
    return this.#until(() => this.events().find(wanted));
  }

  async phase(phase: string): Promise<void> {
    await this.event(
      (event) => event.kind === 'phase' && event.phase === phase && event.status === 'started',
    );
  }

  /** Resolves when stdout has such a text. @throws when the command ends first. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#until(() => pattern.exec(this.out) ?? undefined);
  }

  /** The same on stderr. */
  async said(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#until(() => pattern.exec(this.err) ?? undefined);
  }

  /** Of the newest run in `--out`, so far. */
  events(): readonly RunEvent[] {
    try {
      return parseHistory(readFileSync(join(this.#out, 'latest', 'events.ndjson'), 'utf8')).events;
    } catch {
      return [];
    }
  }

  /** True while a process of its group lives: the command itself or a replicator. */
  get groupLives(): boolean {
    return this.#signalGroup(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#signalGroup('SIGKILL');
    await this.ended;
  }

  async #until<T>(found: () => T | undefined): Promise<T> {
    for (;;) {
      const value = found();
      if (value !== undefined) return value;
      if (this.#ended)
        throw new Error(`It ended with ${JSON.stringify(this.#ended)}:\n${this.out}${this.err}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** The group is the child's own, so nothing else can be in it; while one of it lives the number is not given away. */
  #signalGroup(signal: NodeJS.Signals | 0): boolean {
    try {
      process.kill(-(this.#child.pid ?? Number.NaN), signal);
      return true;
    } catch {
      return false;
    }
  }
}
