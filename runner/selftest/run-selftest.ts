/**
 * Runs every known-bad engine in its short rehearsal and has the checks judge it. Which checks catch what is worked out from
 * the recorded histories, so leaving a check out needs no second run.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { SyncError } from '../../engine/errors.ts';
import type { RunEvent } from '../../reports/events.ts';
import { contextOf } from '../../scenarios/checks/context.ts';
import { mergeVerdicts, judge } from '../../scenarios/checks/judge.ts';
import { CHECKS } from '../../scenarios/checks/registry.ts';
import { withFlags, type Io } from '../cli/io.ts';
import type { Plan } from '../plan/plan.ts';
import { verifyPlan } from '../run/verify.ts';
import { parseSpec } from '../spec/load.ts';
import { readConfession } from './confession.ts';
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
  /** Not caught, but it did nothing wrong either: it says nothing about the checks. Not ok. */
  vacuous: boolean;
  /** Not over in time, and cut off: whatever caught it, caught that. Not ok. */
  overtime: boolean;
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
/** Of one rehearsal; the longest take ten seconds. */
const LIMIT_MS = 60_000;

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
      if (!io.quiet) io.err(`${result.ok ? '✓' : '✗'} ${mutant.name.padEnd(22)} ${shortly(result)}\n`);
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  await bench.clear([...results.values()].some(({ ok }) => !ok));
  const mutants = wanted.flatMap(({ name }) => results.get(name) ?? []);
  const ok = mutants.length === wanted.length && mutants.every((result) => result.ok);
  return { ok, without, mutants, needed: neededChecks(mutants) };
}

function shortly({ catches, vacuous, overtime }: MutantResult): string {
  if (overtime) return 'took too long';
  return vacuous ? 'vacuous: found no occasion to do wrong' : catches.join(', ') || 'passes';
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
  /** Mutants whose rehearsals were cut off. */
  readonly #overtime = new Set<string>();
  #control: Promise<readonly RunEvent[]> | undefined;

  constructor(folder: string, options: SelftestOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  async try(mutant: Mutant, without: readonly string[]): Promise<MutantResult> {
    const began = performance.now();
    const { events, folder, spec, didWrong } = await this.#historyOf(mutant);
    const catches = catchesIn(planOf(spec), events, without);
    const { name, what, caughtBy } = mutant;
    const isCaught =
      caughtBy !== null && !without.includes(caughtBy) ? catches.includes(caughtBy) : catches.length > 0;
    const overtime = this.#overtime.has(name);
    const ok = !overtime && (caughtBy === null ? catches.length === 0 : isCaught);
    const vacuous = caughtBy !== null && catches.length === 0 && !didWrong;
    const seconds = Math.round((performance.now() - began) / 100) / 10;
    return { name, what, caughtBy, catches, ok, vacuous, overtime, ...(ok ? {} : { folder }), seconds };
  }

  /** Everything is ours: the folder was made for this. */
  async clear(keep: boolean): Promise<void> {
    if (!keep) await rm(this.#folder, { recursive: true, force: true });
  }

  async #historyOf({ name, how }: Mutant): Promise<MutantHistory> {
    const folder = join(this.#folder, name);
    if ('doctored' in how) {
      const control = await this.#controlHistory();
      const events = how.doctored(control);
      return { events, folder, spec: 'plain', didWrong: !isDeepStrictEqual(events, control) };
    }
    const events = await (name === CONTROL ? this.#controlHistory() : this.#run(name, how));
    // A rehearsal that is bad itself is so whatever its engine does.
    const didWrong = how.engine === 'none' || (await readConfession(this.#deedsOf(name))).length > 0;
    return { events, folder, spec: how.spec, didWrong };
  }

  #controlHistory(): Promise<readonly RunEvent[]> {
    this.#control ??= this.#run(CONTROL, { engine: 'none', spec: 'plain' });
    return this.#control;
  }

  /** Beside the folder of the rehearsal. */
  #deedsOf(name: string): string {
    return join(this.#folder, `${name}.deeds`);
  }

  async #run(
    name: string,
    { engine, spec }: { engine: string; spec: SpecName },
  ): Promise<readonly RunEvent[]> {
    const { io, signal } = this.#options;
    const limit = new AbortController();
    const timer = setTimeout(() => {
      this.#overtime.add(name);
      limit.abort(new SyncError('ABORTED', `cut off after ${LIMIT_MS / 1000} s`));
    }, LIMIT_MS);
    try {
      const { events } = await verifyPlan(planOf(spec), withFlags(io, { quiet: true, json: true }), {
        out: join(this.#folder, name),
        keep: false,
        // One of its own each: dozens of rehearsals would all listen to the same.
        signal: AbortSignal.any([signal, limit.signal]),
        engineCommand: ['bad-engine', engine, this.#deedsOf(name)],
      });
      return events;
    } finally {
      clearTimeout(timer);
    }
  }
}

interface MutantHistory {
  events: readonly RunEvent[];
  folder: string;
  spec: SpecName;
  /** What makes it a mutant happened. */
  didWrong: boolean;
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
