/**
 * A server's own clock, which can be moved while it runs: libfaketime is loaded into the process and follows an offset in a file.
 * Only the clock that says the date moves; what measures durations goes on as it is.
 */
import { readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SyncError } from '../../engine/errors.ts';
import type { InstancePlan } from '../plan/plan.ts';

/** For a library that is elsewhere. */
const VARIABLE = 'REDIS_SYNC_LIBFAKETIME';
/** The variant for programs with threads. */
const LIBRARY = join('faketime', 'libfaketimeMT.so.1');
const FOLDERS = ['/usr/lib', '/usr/lib64', '/usr/local/lib', '/usr/local/lib64'];
/** The file is read again after so long; the shortest there is. */
const REREAD_SECONDS = 1;

export type Environment = Readonly<Record<string, string | undefined>>;

/** Path of the library, where packages put it: below `/usr/lib`, or in a folder of the machine's architecture there. */
export function findClockLibrary(env: Environment): string | undefined {
  const named = env[VARIABLE];
  if (named !== undefined) return isFile(named) ? named : undefined;
  if (process.platform !== 'linux') return undefined;
  const folders = [...FOLDERS, ...subfolders('/usr/lib').filter((folder) => folder.includes('-linux-'))];
  return folders.map((folder) => join(folder, LIBRARY)).find(isFile);
}

/**
 * What is missing for the clocks of these instances; undefined when nothing is.
 *
 * @returns SyncError PROVISION that says what to install.
 */
export function missingClockLibrary(plans: readonly InstancePlan[], env: Environment): SyncError | undefined {
  const plan = plans.find(({ movableClock }) => movableClock === true);
  if (plan === undefined || findClockLibrary(env) !== undefined) return undefined;
  return new SyncError(
    'PROVISION',
    'A server’s clock can only be moved with libfaketime, and it is not installed.',
    {
      where: plan.name,
      hint: `Install it (Debian and Ubuntu: \`apt-get install libfaketime\`; Fedora, Alpine, Arch: package \`libfaketime\`), say where it is with ${VARIABLE}=/path/to/libfaketimeMT.so.1, or leave out the fault clock-skew.`,
    },
  );
}

export class MovableClock {
  readonly #library: string;
  readonly #file: string;

  /** @param folder of the server; the offset is a file in it. Right at first. */
  constructor(library: string, folder: string) {
    this.#library = library;
    this.#file = join(folder, 'clock');
    this.move(0);
  }

  /** What the server has to be started with. */
  get environment(): Record<string, string> {
    return {
      // Where malloc is another library's (jemalloc), libfaketime needs memory before that is ready for it, and would wait for ever:
      // the C library's malloc comes first.
      LD_PRELOAD: `${this.#library}:libc.so.6`,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_CACHE_DURATION: String(REREAD_SECONDS),
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    };
  }

  /** Ahead of the machine's by so many milliseconds; negative: behind. The server sees it within a second or two. */
  move(byMs: number): void {
    const sign = byMs < 0 ? '-' : '+';
    // Never half a number: the server may read at any time.
    writeFileSync(`${this.#file}.new`, `${sign}${(Math.abs(byMs) / 1000).toFixed(3)}`);
    renameSync(`${this.#file}.new`, this.#file);
  }

  /** The library leaves names in shared memory, which nobody needs once the server runs, and a killed one does not remove. */
  tidy(pid: number): void {
    for (const name of [`faketime_shm_${pid}`, `sem.faketime_sem_${pid}`])
      rmSync(join('/dev/shm', name), { force: true });
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function subfolders(path: string): string[] {
  try {
    return readdirSync(path).map((name) => join(path, name));
  } catch {
    return [];
  }
}
