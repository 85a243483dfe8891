/** `redis-sync verify SPEC…`: rehearses each spec, as it is written or disturbed at random, or named scenarios on each. */
import { writeFile } from 'node:fs/promises';
import { asError, SyncError } from '../../engine/errors.ts';
import type { ChaosProfileName } from '../../scenarios/chaos/profiles.ts';
import type { Plan } from '../plan/plan.ts';
import { runOptions, type CommandContext, type RunOptions } from './context.ts';
import { loadSpecs, refuse, type LoadedSpec } from './load-plans.ts';
import { requireDisposable } from './rehearsal-safety.ts';
import { withSignals } from './signals.ts';

export interface VerifyFlags {
  chaos?: ChaosProfileName;
  saveTimeline?: string;
  /** Names of scenarios, separated by commas; or `all`. Instead of what specs name themselves. */
  scenario?: string;
}

export async function verify(
  paths: readonly string[],
  flags: VerifyFlags,
  context: CommandContext,
): Promise<number> {
  const loaded = await loadSpecs(paths, context);
  if (loaded.kind === 'invalid') return refuse(loaded.problems, context);
  for (const { plan } of loaded.specs) requireDisposable(plan);
  const wanted = loaded.specs.map((each) => ({ ...each, names: scenarioNames(each.plan, flags) }));
  const named = wanted.filter(({ names }) => names.length > 0);
  const plain = wanted.filter(({ names }) => names.length === 0).map(({ plan }) => plan);
  refuseMixture(plain.length, named.length, flags, context);
  const plans = await disturb(plain, flags, context);
  return withSignals(context.io, async (signal) => {
    const codes: number[] = [];
    const { verifySpecs, worstExitCode } = await import('../run/verify.ts');
    const options = runOptions(context, signal);
    if (plans.length > 0) codes.push(await verifySpecs(plans, context.io, options));
    if (named.length > 0) codes.push(await verifyScenarios(named, context, options));
    return worstExitCode(codes);
  });
}

function scenarioNames(plan: Plan, { scenario }: VerifyFlags): string[] {
  return scenario === undefined ? (plan.scenarios ?? []) : scenario.split(',');
}

/** @throws SyncError USAGE when flags and specs ask for what excludes each other. */
function refuseMixture(
  plain: number,
  named: number,
  { chaos, saveTimeline }: VerifyFlags,
  { io }: CommandContext,
): void {
  if (named > 0 && (chaos !== undefined || saveTimeline !== undefined))
    throw new SyncError('USAGE', 'A scenario has its own timeline: --chaos draws another.', {
      hint: 'Use one of them; a spec may name scenarios too (scenarios:).',
    });
  if (named > 0 && plain > 0 && io.json)
    throw new SyncError(
      'USAGE',
      'Some of these specs name scenarios and some do not: two kinds of document.',
      {
        hint: 'With --json, verify the specs that say `scenarios:` by themselves.',
      },
    );
}

/** @throws SyncError USAGE, SPEC_INVALID. */
async function disturb(
  plans: readonly Plan[],
  { chaos, saveTimeline }: VerifyFlags,
  { io }: CommandContext,
): Promise<readonly Plan[]> {
  if (chaos === undefined) {
    if (saveTimeline === undefined) return plans;
    throw new SyncError('USAGE', '--save-timeline saves what --chaos draws, and there is no --chaos', {
      hint: 'Add --chaos gentle, rough or brutal. What a spec says itself: redis-sync plan SPEC.',
    });
  }
  const { describeChaos, disturbPlan } = await import('../plan/chaos.ts');
  const disturbed = plans.map((plan) => disturbPlan(plan, chaos));
  if (saveTimeline !== undefined) await save(disturbed, saveTimeline);
  if (!io.quiet) for (const each of disturbed) io.err(`${describeChaos(each).join('\n')}\n`);
  return disturbed.map(({ plan }) => plan);
}

/** Never over a file that is there: it may be somebody's spec. */
async function save(disturbed: readonly { plan: Plan }[], file: string): Promise<void> {
  const [first] = disturbed;
  if (first === undefined || disturbed.length > 1)
    throw new SyncError('USAGE', '--save-timeline takes one spec', { hint: 'Run them one by one.' });
  const { describePlan } = await import('../plan/describe.ts');
  try {
    await writeFile(file, describePlan(first.plan), { flag: 'wx' });
  } catch (error) {
    throw new SyncError('USAGE', `The timeline cannot be saved: ${asError(error).message}`, {
      where: file,
      hint: 'Name a file that is not there yet, beside the spec: names of files in it are relative.',
      cause: error,
    });
  }
}

async function verifyScenarios(
  specs: readonly (LoadedSpec & { names: readonly string[] })[],
  { io }: CommandContext,
  options: RunOptions,
): Promise<number> {
  const { chooseScenarios, exitCodeOfRows, runScenarios } = await import('../run/scenarios.ts');
  const chosen = specs.map((each) => ({ ...each, scenarios: chooseScenarios(each.names) }));
  const rows = [];
  for (const each of chosen) rows.push(...(await runScenarios(each, each.scenarios, io, options)));
  if (io.json) io.out(`${JSON.stringify(rows, null, 2)}\n`);
  return exitCodeOfRows(rows);
}
