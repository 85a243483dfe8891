/** `verify --scenario`: runs named rehearsals, each on a fresh copy of the topology, and reports the matrix. */
import { setMaxListeners } from 'node:events';
import { SyncError } from '../../engine/errors.ts';
import type { DifferenceClass, Results, Verdict } from '../../reports/results.ts';
import { DIFFERENCE_CLASSES } from '../../reports/results.ts';
import { judgeScenario } from '../../scenarios/rehearsals/judge-scenario.ts';
import type { Scenario, ScenarioOutcome, ScenarioVariant } from '../../scenarios/rehearsals/scenario.ts';
import { findScenario, SCENARIOS } from '../../scenarios/rehearsals/registry.ts';
import type { RunOptions } from '../cli/context.ts';
import type { Io } from '../cli/io.ts';
import type { LoadedSpec } from '../cli/load-plans.ts';
import { requireDisposable } from '../cli/rehearsal-safety.ts';
import type { Plan } from '../plan/plan.ts';
import { ALL_SCENARIOS, parseScenarioName } from '../plan/scenario-name.ts';
import { missingClockLibrary } from '../provision/movable-clock.ts';
import { scenarioSubject, writeScenarioSpec } from '../plan/scenario-spec.ts';
import type { Environment } from '../spec/interpolation.ts';
import { parseSpec } from '../spec/load.ts';
import { didYouMean } from '../spec/suggest.ts';
import { verifyPlan } from './verify.ts';

export interface ScenarioRow {
  spec: string;
  topology: string;
  scenario: string;
  variant: string;
  /** What it happened to. */
  link: string;
  statements: readonly string[];
  /** Of the scenario: was what had to be seen seen? unfit: it does not apply to this spec. */
  verdict: Verdict | 'unfit';
  /** Why it is no pass. */
  reasons: readonly string[];
  /** Of the run itself. */
  runVerdict?: Verdict;
  findings: readonly string[];
  differences: Partial<Record<DifferenceClass, number>>;
  seconds: number;
  folder?: string;
}

/** A scenario, and the link it is to happen to; absent = the first. */
export interface ChosenScenario {
  scenario: Scenario;
  link?: string;
}

/**
 * Scenarios by name, in the order they are written. What is no name stands for all that begin with it: endpoint-move for
 * endpoint-move-source and endpoint-move-target.
 *
 * @throws SyncError USAGE when there is no such scenario.
 */
export function chooseScenarios(names: readonly string[]): ChosenScenario[] {
  const chosen = names.flatMap((written) => {
    const { scenario: name, ...link } = parseScenarioName(written);
    return scenariosCalled(name).map((scenario) => ({ scenario, ...link }));
  });
  const byPlace = new Map(chosen.map((each) => [`${each.scenario.name}@${each.link ?? ''}`, each]));
  return [...byPlace.values()];
}

function scenariosCalled(name: string): readonly Scenario[] {
  if (name === ALL_SCENARIOS) return SCENARIOS;
  const scenario = findScenario(name);
  if (scenario !== null) return [scenario];
  const family = SCENARIOS.filter((each) => each.name.startsWith(`${name}-`));
  if (family.length > 0) return family;
  const names = SCENARIOS.map((each) => each.name);
  throw new SyncError('USAGE', `There is no scenario "${name}"${didYouMean(name, names)}.`, {
    hint: '`redis-sync scenarios` lists them; several are separated by commas; `all` means all that fit.',
  });
}

/** One row per scenario and variant, in order. Stops early when interrupted. */
export async function runScenarios(
  { spec, plan }: LoadedSpec,
  scenarios: readonly ChosenScenario[],
  io: Io,
  options: RunOptions,
): Promise<ScenarioRow[]> {
  const rows: ScenarioRow[] = [];
  for (const chosen of scenarios) {
    for (const variant of chosen.scenario.variants) {
      if (options.signal.aborted) return rows;
      const row = await runVariant({ spec, plan }, { ...chosen, variant }, io, options);
      rows.push(row);
      if (!io.json) io.out(`${describeRow(row, io)}\n`);
    }
  }
  return rows;
}

export type PreparedVariant =
  | { kind: 'ok'; plan: Plan; outcome: ScenarioOutcome }
  | { kind: 'unfit'; reason: string };

/** A scenario under one policy, put over a spec: the plan to rehearse and what must come of it, or why it does not apply. Pure. */
export function prepareVariant(
  { spec, plan }: LoadedSpec,
  { scenario, link, variant }: ChosenScenario & { variant: ScenarioVariant },
  env: Environment,
): PreparedVariant {
  const subject = scenarioSubject(plan, link);
  if (subject === null)
    return unfit(link === undefined ? 'the spec has no link' : `the spec has no link "${link}"`);
  const rehearsal = variant.rehearse(subject);
  if ('unfit' in rehearsal) return unfit(rehearsal.unfit);
  const name = `${scenario.name}-${variant.name}`;
  const text = writeScenarioSpec(spec, { name, subject, ...rehearsal });
  const parsed = parseSpec(plan.spec, text, { env, seed: plan.seed });
  if (parsed.kind === 'invalid') return unfit(parsed.problems[0]?.message ?? 'the changed spec is not valid');
  return { kind: 'ok', plan: parsed.plan, outcome: rehearsal.outcome };
}

function unfit(reason: string): PreparedVariant {
  return { kind: 'unfit', reason };
}

async function runVariant(
  loaded: LoadedSpec,
  chosen: ChosenScenario & { variant: ScenarioVariant },
  io: Io,
  options: RunOptions,
): Promise<ScenarioRow> {
  const began = performance.now();
  const { scenario, link, variant } = chosen;
  const row = {
    spec: loaded.plan.spec,
    topology: loaded.plan.topology.kind,
    scenario: scenario.name,
    variant: variant.name,
    link: link ?? loaded.plan.links[0]?.id ?? '',
    statements: scenario.statements,
  };
  const prepared = prepareVariant(loaded, chosen, io.env);
  if (prepared.kind === 'unfit') {
    const { reason } = prepared;
    return { ...row, verdict: 'unfit', reasons: [reason], findings: [], differences: {}, seconds: 0 };
  }
  const missing = missingClockLibrary(prepared.plan.instances, io.env);
  if (missing !== undefined)
    return {
      ...row,
      verdict: 'unfit',
      reasons: [missing.message],
      findings: [],
      differences: {},
      seconds: 0,
    };
  requireDisposable(prepared.plan);
  // A signal of its own: what a run hangs on it is gone with the run, and that is more than ten listeners for many servers.
  const signal = AbortSignal.any([options.signal]);
  setMaxListeners(0, signal);
  const { results } = await verifyPlan(prepared.plan, io, { ...options, signal });
  return {
    ...row,
    ...judgeScenario(prepared.outcome, results),
    runVerdict: results.verdict,
    findings: [...new Set(results.findings.map(({ code }) => code))],
    differences: differencesOf(results),
    seconds: Math.round((performance.now() - began) / 100) / 10,
    folder: results.run.folder,
  };
}

function differencesOf({ comparison }: Results): Partial<Record<DifferenceClass, number>> {
  if (comparison === null) return {};
  return Object.fromEntries(
    DIFFERENCE_CLASSES.flatMap((name) =>
      comparison.totals[name] > 0 ? [[name, comparison.totals[name]]] : [],
    ),
  );
}

/** One line for people. */
export function describeRow(row: ScenarioRow, { outColors: colors }: Pick<Io, 'outColors'>): string {
  const words = { pass: colors.green, fail: colors.red, unknown: colors.yellow, unfit: colors.dim };
  const verdict = words[row.verdict](row.verdict.padEnd(7));
  const what = `${row.scenario} (${row.variant})`.padEnd(38);
  const findings = row.findings.length > 0 ? `  ${row.findings.join(', ')}` : '';
  const reasons = row.reasons.map((reason) => `\n          ${reason}`).join('');
  return row.verdict === 'unfit'
    ? `${verdict}  ${what}  ${row.reasons.join('; ')}`
    : `${verdict}  ${what} ${row.seconds.toFixed(1).padStart(5)} s${findings}${reasons}`;
}

/** 1 when one failed, 4 when one could not be told or none fitted, else 0. */
export function exitCodeOfRows(rows: readonly ScenarioRow[]): number {
  const verdicts = new Set(rows.map(({ verdict }) => verdict));
  if (verdicts.has('fail')) return 1;
  return verdicts.has('unknown') || !verdicts.has('pass') ? 4 : 0;
}
