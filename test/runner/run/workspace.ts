/**
 * A private folder in which a test writes specs and runs commands, in this process with a captured Io. Closing it fails the
 * test when a process of one of its runs is left (after ending it), and removes everything.
 */
import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunEvent } from '../../../reports/events.ts';
import { parseHistory } from '../../../reports/history.ts';
import { parseResults } from '../../../reports/parse-results.ts';
import type { Results } from '../../../reports/results.ts';
import { createIo } from '../../../runner/cli/io.ts';
import { main } from '../../../runner/cli/main.ts';
import { isAlive, signalProcess } from '../../../runner/provision/process-identity.mjs';
import type { ProcessRecord } from '../../../runner/provision/process-ledger.ts';

export interface Outcome {
  exitCode: number;
  /** Everything printed on stdout, on stderr. */
  out: string;
  err: string;
}

export interface Verified extends Outcome {
  results: Results;
  events: readonly RunEvent[];
}

/** A spec as data; written as JSON, which is YAML. */
export type SpecText = string | Readonly<Record<string, unknown>>;

export class Workspace implements AsyncDisposable {
  readonly folder: string;
  /** --out */
  readonly out: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.out = join(folder, 'out');
  }

  static async open(): Promise<Workspace> {
    return new Workspace(await realpath(await mkdtemp(join(tmpdir(), 'redis-sync-e2e-'))));
  }

  get latest(): string {
    return join(this.out, 'latest');
  }

  /** @returns the path of the spec. */
  async write(spec: SpecText, file = 'spec.yaml'): Promise<string> {
    const path = join(this.folder, file);
    await writeFile(path, typeof spec === 'string' ? spec : JSON.stringify(spec, null, 2));
    return path;
  }

  /** A command in this process; `--out` is added. */
  async command(argv: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Outcome> {
    let out = '';
    let err = '';
    const io = createIo(
      { write: (text) => (out += text) },
      { write: (text) => (err += text) },
      { ...env, NO_COLOR: '1', CI: 'true' },
    );
    const exitCode = await main([...argv, '--out', this.out], io);
    return { exitCode, out, err };
  }

  /** `verify` of one spec, with what it left in its folder. */
  async verify(spec: SpecText, ...flags: string[]): Promise<Verified> {
    const outcome = await this.command(['verify', await this.write(spec), ...flags]);
    return { ...outcome, results: await this.results(), events: await this.events() };
  }

  /** Of the newest run. Proven valid against the schema of results. */
  async results(): Promise<Results> {
    const parsed = parseResults(await readFile(join(this.latest, 'results.json'), 'utf8'));
    assert(parsed.kind === 'results', JSON.stringify(parsed));
    return parsed.results;
  }

  async events(): Promise<readonly RunEvent[]> {
    return parseHistory(await readFile(join(this.latest, 'events.ndjson'), 'utf8')).events;
  }

  /** Every process any run of this workspace has recorded. */
  processes(): ProcessRecord[] {
    return this.#runs().flatMap((run) => {
      try {
        const records: ProcessRecord[] = JSON.parse(readFileSync(join(run, 'processes.json'), 'utf8'));
        return records;
      } catch {
        return [];
      }
    });
  }

  /** What is left of them, in words; servers are also looked for by the folder they run in. */
  strays(): string[] {
    const recorded = this.processes()
      .filter((record) => isAlive(record))
      .map(({ what, pid }) => `${what} (pid ${pid})`);
    return [...recorded, ...processesIn(this.folder)];
  }

  /** Resolves when nothing is left; after a hard end of the runner that takes its watchdog a moment. */
  async gone(): Promise<true> {
    while (this.strays().length > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const strays = this.strays();
    for (const record of this.processes()) signalProcess(record, 'SIGKILL');
    await this.gone();
    await rm(this.folder, { recursive: true });
    assert.deepEqual(strays, [], 'processes were left behind');
  }

  #runs(): string[] {
    const runs = join(this.out, 'runs');
    try {
      return readdirSync(runs).map((id) => join(runs, id));
    } catch {
      return [];
    }
  }
}

/** Processes whose working directory is in a folder. Empty where there is no /proc. */
function processesIn(folder: string): string[] {
  let pids: string[];
  try {
    pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
  return pids.flatMap((pid) => {
    try {
      const cwd = readlinkSync(`/proc/${pid}/cwd`);
      return cwd.startsWith(folder) ? [`a process in ${cwd} (pid ${pid})`] : [];
    } catch {
      return [];
    }
  });
}
