/** `redis-sync plan SPEC`: everything a run would do, and every default. */
import { describePlan } from '../plan/describe.ts';
import type { CommandContext } from './context.ts';
import { loadPlans, refuse } from './load-plans.ts';

export async function plan(path: string, context: CommandContext): Promise<number> {
  const { io } = context;
  const loaded = await loadPlans([path], context);
  if (loaded.kind === 'invalid') return refuse(loaded.problems, context);
  for (const one of loaded.plans) io.out(io.json ? `${JSON.stringify(one, null, 2)}\n` : describePlan(one));
  return 0;
}
