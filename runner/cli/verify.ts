/** `redis-sync verify SPEC…`: rehearses each spec, as it is written or disturbed at random, or named scenarios on each. */
import { writeFile } from 'node:fs/promises';
import { asError, SyncError } from '../../engine/errors.ts';
import type { ChaosProfileName } from '../../scenarios/chaos/profiles.ts';
import type { Plan } from '../plan/plan.ts';
import { runOptions, type CommandContext } from './context.ts';
import { loadPlans, refuse } from './load-plans.ts';
import { requireDisposable } from './rehearsal-safety.ts';
import { withSignals } from './signals.ts';

export interface VerifyFlags {
  chaos?: ChaosProfileName;
  saveTimeline?: string;
  /** Names of scenarios, separated by commas; or `all`. */
  scenario?: string;
}

export async function verify(
  paths: readonly string[],
  flags: VerifyFlags,
  context: CommandContext,
): Promise<number> {
  const loaded = await loadPlans(paths, context);
  if (loaded.kind === 'invalid') return refuse(loaded.problems, context);
  for (const plan of loaded.plans) requireDisposable(plan);
  if (flags.scenario !== undefined) return verifyScenarios(paths, flags.scenario, flags, context);
  const plans = await disturb(loaded.plans, flags, context);
  const { verifySpecs } = await import('../run/verify.ts');
  return withSignals(context.io, (signal) => verifySpecs(plans, context.io, runOptions(context, signal)));
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
  paths: readonly string[],
  written: string,
  { chaos }: VerifyFlags,
  context: CommandContext,
): Promise<number> {
  if (chaos !== undefined)
    throw new SyncError('USAGE', 'A scenario has its own timeline: --chaos draws another.', {
      hint: 'Use one of them.',
    });
  const { io, seed } = context;
  const { chooseScenarios, exitCodeOfRows, runScenarios } = await import('../run/scenarios.ts');
  const { loadSpec } = await import('../spec/load.ts');
  const scenarios = chooseScenarios(written);
  return withSignals(io, async (signal) => {
    const rows = [];
    for (const path of paths) {
      const loaded = await loadSpec(path, { env: io.env, ...(seed === undefined ? {} : { seed }) });
      if (loaded.kind === 'invalid') return refuse(loaded.problems, context);
      rows.push(...(await runScenarios(loaded, scenarios, io, runOptions(context, signal))));
    }
    if (io.json) io.out(`${JSON.stringify(rows, null, 2)}\n`);
    return exitCodeOfRows(rows);
  });
}
