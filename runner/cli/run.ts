/** `redis-sync run SPEC`: replicates between existing endpoints. */
import { SyncError } from '../../engine/errors.ts';
import type { Plan } from '../plan/plan.ts';
import { runOptions, type CommandContext } from './context.ts';
import { requireUrls } from './existing-endpoints.ts';
import { loadPlans, refuse } from './load-plans.ts';
import { withSignals } from './signals.ts';

export interface RunFlags {
  until: 'synced' | 'SIGINT';
  metricsPort?: number;
  metricsHost: string;
}

/** Other engines are rehearsed, not operated. @throws SyncError USAGE. */
function requireOwnEngine({ driver, spec }: Plan): void {
  if (driver.kind === 'redis-sync') return;
  throw new SyncError(
    'USAGE',
    `run replicates with redis-sync's own engine, and the driver here is ${driver.kind}`,
    {
      where: spec,
      hint: `Rehearse it: redis-sync verify ${spec}. For run, leave engine.driver out.`,
    },
  );
}

/** `until: SIGINT`: Ctrl-C is the normal end, so its exit code is that of the replication. */
export async function run(
  path: string,
  { until, metricsPort, metricsHost }: RunFlags,
  context: CommandContext,
): Promise<number> {
  const loaded = await loadPlans([path], context);
  if (loaded.kind === 'invalid') return refuse(loaded.problems, context);
  for (const plan of loaded.plans) {
    requireUrls(plan, 'run');
    requireOwnEngine(plan);
  }
  const { replicateSpec } = await import('../run/replicate.ts');
  const [plan] = loaded.plans;
  if (plan === undefined) return 0;
  let reload: (() => void) | undefined;
  return withSignals(
    context.io,
    (signal) =>
      replicateSpec(plan, context.io, {
        ...runOptions(context, signal),
        until,
        ...(metricsPort === undefined ? {} : { metrics: { host: metricsHost, port: metricsPort } }),
        onReload: (listener) => (reload = listener),
      }),
    { isNormalEnd: until === 'SIGINT', onReload: () => reload?.() },
  );
}
