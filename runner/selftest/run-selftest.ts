/**
 * Runs every known-bad engine in its short rehearsal and has the checks judge it. Which checks catch what is worked out from
 * the recorded histories, so leaving a check out needs no second run.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SyncError } from '../../engine/errors.ts';
import type { RunEvent } from '../../reports/events.ts';
import { contextOf } from '../../scenarios/checks/context.ts';
import { mergeVerdicts, judge } from '../../scenarios/checks/judge.ts';
import { CHECKS } from '../../scenarios/checks/registry.ts';
import { withFlags, type Io } from '../cli/io.ts';
import type { Plan } from '../plan/plan.ts';
import { verifyPlan } from '../run/verify.ts';
import { parseSpec } from '../spec/load.ts';
import { CONTROL, MUTANTS, type Mutant } from './mutants.ts';
import { SPECS, type SpecName } from './specs.ts';

export interface SelftestOptions {
  /** Checks that are left out. */
  without?: readonly string[];
  /** Names of mutants. Default all. */
  only?: readonly string[];
  /** Rehearsals at the same time. */
  jobs?: number;
  io: Io;
  signal: AbortSignal;
}

export interface MutantResult {
  name: string;
  what: string;
  caughtBy: string | null;
  /** Checks that did not pass it, without those left out. */
  catches: string[];
  /** As it must be: caught by its check (by any, when that is left out); a control by none. */
  ok: boolean;
  /** The run that is kept for a look, when it is not ok. */
  folder?: string;
  seconds: number;
}

export interface SelftestReport {
  ok: boolean;
  without: readonly string[];
  mutants: MutantResult[];
  /** Check → mutants that only it catches: they would get away without it. */
  needed: Record<string, string[]>;
}

/** Two servers and an engine each; more at a time only makes them wait for each other. */
const JOBS = 3;

/** @throws SyncError USAGE when there is nowhere to write. */
export async function runSelftest(options: SelftestOptions): Promise<SelftestReport> {
  const { without = [], only = [], jobs = JOBS, io, signal } = options;
  const wanted = MUTANTS.filter(({ name }) => only.length === 0 || only.includes(name));
  const bench = new Bench(await mkdtemp(join(tmpdir(), 'redis-sync-selftest-')), options);
  const results = new Map<string, MutantResult>();
  const queue = [...wanted];
  const work = async (): Promise<void> => {
    for (let mutant = queue.shift(); mutant !== undefined && !signal.aborted; mutant = queue.shift()) {
      const result = await bench.try(mutant, without);
      results.set(mutant.name, result);
      if (!io.quiet)
        io.err(
          `${result.ok ? '✓' : '✗'} ${mutant.name.padEnd(22)} ${result.catches.join(', ') || 'passes'}\n`,
        );
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  await bench.clear([...results.values()].some(({ ok }) => !ok));
  const mutants = wanted.flatMap(({ name }) => results.get(name) ?? []);
  const ok = mutants.length === wanted.length && mutants.every((result) => result.ok);
  return { ok, without, mutants, needed: neededChecks(mutants) };
}

/** Which mutants only one check catches. */
function neededChecks(mutants: readonly MutantResult[]): Record<string, string[]> {
  return Object.fromEntries(
    CHECKS.map(({ name }) => [
      name,
      mutants
        .filter(({ caughtBy, catches }) => caughtBy !== null && catches.length === 1 && catches[0] === name)
        .map((mutant) => mutant.name),
    ]),
  );
}

/** Where rehearsals are run, and the history of the control that others are made from. */
class Bench {
  readonly #folder: string;
  readonly #options: SelftestOptions;
  #control: Promise<readonly RunEvent[]> | undefined;

  constructor(folder: string, options: SelftestOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  async try(mutant: Mutant, without: readonly string[]): Promise<MutantResult> {
    const began = performance.now();
    const { events, folder, spec } = await this.#historyOf(mutant);
    const catches = catchesIn(planOf(spec), events, without);
    const { name, what, caughtBy } = mutant;
    const isCaught =
      caughtBy !== null && !without.includes(caughtBy) ? catches.includes(caughtBy) : catches.length > 0;
    const ok = caughtBy === null ? catches.length === 0 : isCaught;
    const seconds = Math.round((performance.now() - began) / 100) / 10;
    return { name, what, caughtBy, catches, ok, ...(ok ? {} : { folder }), seconds };
  }

  /** Everything is ours: the folder was made for this. */
  async clear(keep: boolean): Promise<void> {
    if (!keep) await rm(this.#folder, { recursive: true, force: true });
  }

  async #historyOf({
    name,
    how,
  }: Mutant): Promise<{ events: readonly RunEvent[]; folder: string; spec: SpecName }> {
    const folder = join(this.#folder, name);
    if ('doctored' in how)
      return { events: how.doctored(await this.#controlHistory()), folder, spec: 'plain' };
    const events =
      name === CONTROL ? await this.#controlHistory() : await this.#run(how.engine, how.spec, folder);
    return { events, folder, spec: how.spec };
  }

  #controlHistory(): Promise<readonly RunEvent[]> {
    this.#control ??= this.#run('none', 'plain', join(this.#folder, CONTROL));
    return this.#control;
  }

  async #run(engine: string, spec: SpecName, out: string): Promise<readonly RunEvent[]> {
    const { io, signal } = this.#options;
    const { events } = await verifyPlan(planOf(spec), withFlags(io, { quiet: true, json: true }), {
      out,
      keep: false,
      // One of its own each: dozens of rehearsals would all listen to the same.
      signal: AbortSignal.any([signal]),
      engineCommand: ['bad-engine', engine],
    });
    return events;
  }
}

function catchesIn(plan: Plan, events: readonly RunEvent[], without: readonly string[]): string[] {
  const checks = CHECKS.filter(({ name }) => !without.includes(name));
  const context = contextOf(plan, events);
  return checks
    .filter((check) => {
      const own = judge(context, [check]).checks;
      return own.length > 0 && ['fail', 'unknown'].includes(mergeVerdicts([...own, { verdict: 'pass' }]));
    })
    .map(({ name }) => name);
}

function planOf(spec: SpecName): Plan {
  const outcome = parseSpec(`selftest ${spec}`, JSON.stringify(SPECS[spec]));
  if (outcome.kind === 'ok') return outcome.plan;
  throw new SyncError('INTERNAL', `The spec of the selftest is wrong: ${outcome.problems[0]?.message ?? ''}`);
}
