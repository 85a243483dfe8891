/** A rehearsal overwrites targets: existing endpoints must have agreed to that. */
import { SyncError } from '../../engine/errors.ts';
import type { Plan } from '../plan/plan.ts';

/** @throws SyncError SPEC_INVALID naming the instance that verify would write to. */
export function requireDisposable(plan: Plan): void {
  const heartbeat = plan.engine.heartbeatMs > 0;
  // What a service does that runs already is not ours; what data, workload and steps do was checked with the spec.
  if (plan.driver.kind === 'external') return;
  for (const { source, target } of plan.links) {
    refuse(plan, target, 'verify would overwrite it', 'set disposable: true if everything in it may be lost');
    if (heartbeat) {
      refuse(
        plan,
        source,
        'verify would write a heartbeat to it',
        'set disposable: true, or engine: { heartbeat: off }',
      );
    }
  }
}

function refuse(plan: Plan, name: string, consequence: string, remedy: string): void {
  const instance = plan.instances.find((candidate) => candidate.name === name);
  if (instance?.disposable !== false) return;
  throw new SyncError('SPEC_INVALID', `"${name}" is an existing endpoint and ${consequence}`, {
    where: plan.spec,
    hint: `In the spec, ${remedy}. To replicate or compare existing endpoints: redis-sync run, redis-sync compare.`,
  });
}
