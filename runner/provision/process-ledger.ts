/**
 * The processes a run started: recorded in `<run>/processes.json` as they start, ended only by recorded pid and start
 * time, in reverse order. A watchdog process ends them when the runner itself is killed, unless they are to be kept.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { asError, SyncError } from '../../engine/errors.ts';
import { isAlive, readStartTime, signalProcess } from './process-identity.mjs';

export interface ProcessRecord {
  pid: number;
  /** Opaque; with the pid it names one process for good. */
  startTime: string;
  /** The pid leads a process group of its own, which is ended as a whole. */
  group: boolean;
  /** What it is, for people: `source.primary`, `replicator source`. */
  what: string;
  /** host:port it listens on. */
  address?: string;
  logFile?: string;
  startedAt: string;
  endedAt?: string;
}

export interface RecordOptions {
  what: string;
  group: boolean;
  address?: string;
  logFile?: string;
}

export class ProcessLedger implements AsyncDisposable {
  readonly file: string;
  /** With `keep`, what was recorded outlives the run; `endAll` and the watchdog leave it alone. */
  readonly keep: boolean;
  readonly #records: ProcessRecord[] = [];
  #watchdog: ChildProcess | undefined;

  private constructor(file: string, keep: boolean) {
    this.file = file;
    this.keep = keep;
  }

  /**
   * @param runFolder created if it is not there.
   * @throws SyncError PROVISION when the watchdog cannot be started.
   */
  static async open(runFolder: string, options: { keep?: boolean } = {}): Promise<ProcessLedger> {
    mkdirSync(runFolder, { recursive: true });
    const ledger = new ProcessLedger(join(runFolder, 'processes.json'), options.keep ?? false);
    if (!ledger.keep) ledger.#watchdog = await startWatchdog();
    return ledger;
  }

  get records(): readonly ProcessRecord[] {
    return this.#records;
  }

  /**
   * Takes responsibility for a process that was just started. Call it in the same tick as `spawn`: until then only
   * the caller knows the pid.
   *
   * @returns undefined when the process is already gone.
   */
  record(pid: number, options: RecordOptions): ProcessRecord | undefined {
    const startTime = readStartTime(pid);
    if (startTime === undefined) return undefined;
    const record: ProcessRecord = { pid, startTime, ...options, startedAt: new Date().toISOString() };
    this.#tellWatchdog({ add: { pid, startTime, group: record.group } });
    this.#records.push(record);
    this.#save();
    return record;
  }

  /** Ends one process at once (SIGKILL) and waits until it is gone. Idempotent. */
  async end(record: ProcessRecord): Promise<void> {
    signalProcess(record, 'SIGKILL');
    for (let waitMs = 1; isAlive(record); waitMs = Math.min(waitMs * 2, 50)) await sleep(waitMs);
    if (record.endedAt !== undefined) return;
    record.endedAt = new Date().toISOString();
    this.#tellWatchdog({ remove: record.pid });
    this.#save();
  }

  /** Ends everything that still runs, last started first, unless it is to be kept. Idempotent. */
  async endAll(): Promise<void> {
    if (this.keep) return;
    for (const record of this.#records.toReversed()) await this.end(record);
  }

  /** `endAll`, then dismisses the watchdog. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.endAll();
    this.#watchdog?.stdin?.end();
    this.#watchdog = undefined;
  }

  #tellWatchdog(message: object): void {
    this.#watchdog?.stdin?.write(`${JSON.stringify(message)}\n`);
  }

  /** Whole file, renamed into place: a reader never sees half of it, whenever the runner dies. */
  #save(): void {
    const draft = `${this.file}.new`;
    writeFileSync(draft, `${JSON.stringify(this.#records, undefined, 2)}\n`);
    renameSync(draft, this.file);
  }
}

async function startWatchdog(): Promise<ChildProcess> {
  const program = fileURLToPath(new URL('watchdog.mjs', import.meta.url));
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
  } catch (error) {
    throw new SyncError('PROVISION', `The watchdog process cannot be started: ${asError(error).message}`, {
      cause: error,
    });
  }
  // If somebody ends the watchdog, writing to it fails; the run goes on, and its own teardown still ends everything.
  child.stdin.on('error', () => {});
  child.unref();
  if ('unref' in child.stdin && typeof child.stdin.unref === 'function') child.stdin.unref();
  return child;
}
