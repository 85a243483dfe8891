/** `verify`: rehearses each plan, reports it, and returns the worst exit code. */
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RunEvent } from '../../reports/events.ts';
import type { Results } from '../../reports/results.ts';
import type { RunOptions } from '../cli/context.ts';
import type { Io } from '../cli/io.ts';
import { describePlan } from '../plan/describe.ts';
import type { Plan } from '../plan/plan.ts';
import { describeKept } from '../provision/kept.ts';
import { History } from './history.ts';
import { printReport } from './print-report.ts';
import { Progress } from './progress.ts';
import { recordOutcome } from './record-outcome.ts';
import { Rehearsal } from './rehearsal.ts';
import { writeReports } from './report-files.ts';
import { buildResults } from './results.ts';
import { createRunFolder } from './run-folder.ts';

/** The spec with the timeline that chaos drew. */
const CHAOS_FILE = 'chaos.yaml';

/** What a rehearsal leaves: the document, and the history it was judged from. */
export interface Verification {
  results: Results;
  events: readonly RunEvent[];
}

/**
 * Rehearses one plan from provisioning to teardown.
 *
 * @throws SyncError USAGE when the run folder cannot be written. What servers do never throws: it is in the results.
 */
export async function verifyPlan(plan: Plan, io: Io, options: RunOptions): Promise<Verification> {
  const folder = await createRunFolder(options.out, plan);
  const history = new History(folder.path);
  const progress = new Progress(io);
  history.subscribe((event) => progress.observe(event));
  const startedAt = new Date();
  history.emit({ kind: 'run-started', spec: plan.spec, seed: plan.seed, version: process.version });
  progress.say(io.errColors.bold(`Rehearsing ${plan.spec} (seed ${plan.seed})`));
  if (plan.chaos !== undefined) await writeFile(join(folder.path, CHAOS_FILE), describePlan(plan));
  const baseFolder = dirname(plan.spec);
  const show = progress.show.bind(progress);
  const rehearsal = new Rehearsal({ plan, folder, history, ...options, baseFolder, env: io.env, show });
  try {
    const outcome = await rehearsal.run();
    await rehearsal[Symbol.asyncDispose]();
    progress.clear();
    recordOutcome(history, outcome);
    const input = {
      plan,
      folder,
      events: history.events,
      outcome,
      startedAt,
      endedAt: new Date(),
      keep: options.keep,
    };
    const draft = buildResults(input);
    const { verdict, summary, exitCode } = draft;
    history.emit({ kind: 'verdict', verdict, summary, exitCode });
    const results = await writeReports(folder.path, draft, history.events, plan.report.formats);
    if (plan.chaos !== undefined && verdict !== 'pass')
      for (const line of describeAgain(plan, folder.shown)) progress.say(line);
    if (options.keep && rehearsal.processes) {
      for (const line of describeKept(outcome.instances.values(), rehearsal.processes.records))
        progress.say(line);
    }
    return { results, events: history.events };
  } finally {
    await rehearsal[Symbol.asyncDispose]();
    history.close();
  }
}

/** How to see it again, and how to look into it. */
function describeAgain({ spec, seed, chaos }: Plan, folder: string): string[] {
  return [
    `The same timeline again: redis-sync verify ${spec} --chaos ${chaos} --seed ${seed}`,
    `As a spec, to take steps out of: ${join(folder, CHAOS_FILE)} (file names in it are relative to ${dirname(spec)})`,
  ];
}

/** The worst exit code of all: an internal error, then environment, then a difference, then unknown. */
export async function verifySpecs(plans: readonly Plan[], io: Io, options: RunOptions): Promise<number> {
  const all: Results[] = [];
  for (const plan of plans) {
    if (options.signal.aborted) break;
    const verification = await verifyPlan(plan, io, options);
    all.push(verification.results);
    if (!io.json) printReport(verification.results, verification.events, io);
  }
  if (io.json) io.out(`${JSON.stringify(all.length === 1 ? all[0] : all, null, 2)}\n`);
  return worstExitCode(all.map((results) => results.exitCode));
}

const WORST_FIRST = [5, 2, 3, 1, 4];

export function worstExitCode(codes: readonly number[]): number {
  const interrupted = codes.find((code) => code >= 128);
  if (interrupted !== undefined) return interrupted;
  return WORST_FIRST.find((code) => codes.includes(code)) ?? 0;
}
