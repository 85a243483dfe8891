/** One run of one spec and seed, in a process group of its own that is ended when it takes too long. */
import { spawn } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseResults } from '../../reports/parse-results.ts';
import type { Results } from '../../reports/results.ts';
import type { ChaosProfileName } from '../../scenarios/chaos/profiles.ts';

export interface ChaosRunOptions {
  /** The command file, as `node FILE verify …` takes it. */
  command: string;
  /** Name of the spec, for people. */
  name: string;
  /** The shortened spec. */
  spec: string;
  seed: number;
  profile: ChaosProfileName;
  limitMs: number;
  /** Where its folder is made; removed when it passes. */
  out: string;
  signal: AbortSignal;
}

export interface ChaosResult {
  spec: string;
  seed: number;
  profile: ChaosProfileName;
  /** `cut off`: not over in time. `error`: it ended without results. */
  verdict: Results['verdict'] | 'cut off' | 'error';
  seconds: number;
  summary: string;
  faults: { fault: string; where: string; outcome: string }[];
  /** Kept when it did not pass; `latest/chaos.yaml` in it is the spec with this timeline. */
  folder?: string;
}

/** Time to end in order, after which nothing is asked any more. */
const GRACE_MS = 20_000;

/** undefined when it was interrupted. */
export async function runChaos(options: ChaosRunOptions): Promise<ChaosResult | undefined> {
  const { command, name, spec, seed, profile, limitMs, out, signal } = options;
  const folder = join(out, `${name}-${seed}-${profile}`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const began = performance.now();
  const flags = ['--chaos', profile, '--seed', String(seed), '--json', '--quiet', '--out', folder];
  const { code, stdout, stderr, isCutOff } = await runBounded(
    process.execPath,
    [command, 'verify', spec, ...flags],
    limitMs,
    signal,
  );
  if (signal.aborted) return undefined;
  const seconds = Math.round((performance.now() - began) / 100) / 10;
  await writeFile(join(folder, 'stderr.txt'), stderr);
  const told = isCutOff ? undefined : readResults(stdout);
  const result: ChaosResult = {
    spec: name,
    seed,
    profile,
    verdict: isCutOff ? 'cut off' : (told?.verdict ?? 'error'),
    seconds,
    summary: told?.summary ?? (isCutOff ? `not over after ${limitMs / 1000} s` : lastLine(stderr, code)),
    faults: (told?.faults ?? []).map(({ fault, where, outcome }) => ({ fault, where: where ?? '', outcome })),
  };
  if (result.verdict === 'pass') await rm(folder, { recursive: true, force: true });
  else result.folder = folder;
  return result;
}

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
  isCutOff: boolean;
}

/** The group is that of the process started here, and nobody else's: it was made for it. */
async function runBounded(
  program: string,
  args: readonly string[],
  limitMs: number,
  signal: AbortSignal,
): Promise<Ended> {
  const child = spawn(program, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended: Ended = { code: null, stdout: '', stderr: '', isCutOff: false };
  child.stdout.on('data', (chunk: Buffer) => (ended.stdout += String(chunk)));
  child.stderr.on('data', (chunk: Buffer) => (ended.stderr += String(chunk)));
  let killing: NodeJS.Timeout | undefined;
  const end = (): void => {
    signalGroup(child.pid, 'SIGINT');
    killing ??= setTimeout(() => signalGroup(child.pid, 'SIGKILL'), GRACE_MS);
  };
  const limit = setTimeout(() => {
    ended.isCutOff = true;
    end();
  }, limitMs);
  signal.addEventListener('abort', end, { once: true });
  try {
    ended.code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
  } finally {
    clearTimeout(limit);
    clearTimeout(killing);
    signal.removeEventListener('abort', end);
  }
  return ended;
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It is gone.
  }
}

function readResults(text: string): Results | undefined {
  const parsed = parseResults(text);
  return parsed.kind === 'results' ? parsed.results : undefined;
}

function lastLine(stderr: string, code: number | null): string {
  return stderr.trimEnd().split('\n').at(-1) || `exit code ${code}`;
}
