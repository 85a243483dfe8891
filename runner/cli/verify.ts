/** `redis-sync verify SPEC…`: rehearses each spec. */
import { runOptions, type CommandContext } from './context.ts';
import { loadPlans, refuse } from './load-plans.ts';
import { requireDisposable } from './rehearsal-safety.ts';
import { withSignals } from './signals.ts';

export async function verify(paths: readonly string[], context: CommandContext): Promise<number> {
  const loaded = await loadPlans(paths, context);
  if (loaded.kind === 'invalid') return refuse(loaded.problems, context);
  for (const plan of loaded.plans) requireDisposable(plan);
  const { verifySpecs } = await import('../run/verify.ts');
  return withSignals(context.io, (signal) =>
    verifySpecs(loaded.plans, context.io, runOptions(context, signal)),
  );
}
