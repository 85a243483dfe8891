/** Rehearses one scenario, with all its variants, on one spec: in a process of its own, which has only so long. */
import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { prepareVariant, type ScenarioRow } from '../../runner/run/scenarios.ts';
import { parseSpec } from '../../runner/spec/load.ts';
import type { Scenario } from '../../scenarios/rehearsals/scenario.ts';
import type { Cell } from './cell.ts';
import type { SmallSpec } from './small-spec.ts';

export interface JobOptions {
  /** The command line's file. */
  program: string;
  /** For specs and runs. */
  folder: string;
  /** For one variant. */
  timeoutMs: number;
  /** 2024-06-11. */
  day: string;
  /** Aborted by Ctrl-C: what runs is asked to end, and counts for nothing. */
  signal: AbortSignal;
}

/** A cell for each variant, whatever happens; none when interrupted. */
export async function runJob(scenario: Scenario, spec: SmallSpec, options: JobOptions): Promise<Cell[]> {
  const unfit = unfitCells(scenario, spec, options.day);
  if (unfit.length === scenario.variants.length) return unfit;
  const folder = join(options.folder, spec.name);
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${spec.name}.yaml`);
  await writeFile(path, spec.text);
  const began = performance.now();
  const args = ['verify', path, '--scenario', scenario.name, '--json', '--quiet', '--out', folder];
  const ended = await runProgram(args, {
    ...options,
    timeoutMs: options.timeoutMs * scenario.variants.length,
  });
  if (options.signal.aborted) return [];
  const seconds = Math.round((performance.now() - began) / 1000);
  const rows = rowsOf(ended.out);
  return Promise.all(
    scenario.variants.map(async ({ name }): Promise<Cell> => {
      const place = { scenario: scenario.name, variant: name, spec: spec.name };
      const row = rows.find(({ variant }) => variant === name);
      if (row === undefined || (ended.isLate && row.verdict !== 'pass')) {
        const reasons = [ended.isLate ? `ended after ${seconds} s` : lastLine(ended.err)];
        const verdict = ended.isLate ? 'late' : 'unknown';
        return { ...place, verdict, reasons, findings: [], seconds, server: '', day: options.day };
      }
      const { verdict, reasons, findings } = row;
      const server = await serverOf(row.folder);
      return {
        ...place,
        verdict,
        reasons,
        findings,
        seconds: Math.round(row.seconds),
        server,
        day: options.day,
      };
    }),
  );
}

/** Variants that do not apply: nothing has to run to know that. */
function unfitCells(scenario: Scenario, spec: SmallSpec, day: string): Cell[] {
  const loaded = parseSpec(`${spec.name}.yaml`, spec.text);
  if (loaded.kind === 'invalid') return [];
  return scenario.variants.flatMap((variant): Cell[] => {
    const prepared = prepareVariant(loaded, { scenario, variant }, {});
    if (prepared.kind === 'ok') return [];
    const place = { scenario: scenario.name, variant: variant.name, spec: spec.name };
    const reasons = [prepared.reason];
    return [{ ...place, verdict: 'unfit', reasons, findings: [], seconds: 0, server: '', day }];
  });
}

interface Ended {
  out: string;
  err: string;
  isLate: boolean;
}

/** It is asked to end, and a rehearsal heals and tears down; when it does not, it is ended, and its watchdog tears down. */
function runProgram(args: readonly string[], options: JobOptions): Promise<Ended> {
  const { program, timeoutMs, signal } = options;
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let [out, err, isLate] = ['', '', false];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    const interrupt = (): void => void child.kill('SIGINT');
    signal.addEventListener('abort', interrupt, { once: true });
    const asked = setTimeout(() => {
      isLate = true;
      child.kill('SIGINT');
    }, timeoutMs);
    const forced = setTimeout(() => child.kill('SIGKILL'), timeoutMs + 45_000);
    child.once('close', () => {
      signal.removeEventListener('abort', interrupt);
      clearTimeout(asked);
      clearTimeout(forced);
      resolve({ out, err, isLate });
    });
  });
}

function rowsOf(out: string): ScenarioRow[] {
  try {
    const rows: ScenarioRow[] = JSON.parse(out);
    return Array.isArray(rows) ? rows : [];
  } catch {
    return [];
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}

/** "redis 7.0.15, valkey 8.1.1": what the run found its servers to be. */
async function serverOf(folder: string | undefined): Promise<string> {
  if (folder === undefined) return '';
  const text = await readFile(join(folder, 'events.ndjson'), 'utf8').catch(() => '');
  const found = [...text.matchAll(/"kind":"instance-ready".*?"server":"(\w+)","version":"([\d.]+)"/g)];
  return [...new Set(found.map(([, server, version]) => `${server} ${version}`))].toSorted().join(', ');
}
