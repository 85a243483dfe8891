/** Every provisioner there is; the first that accepts a plan provides the instance. */
import { strict as assert } from 'node:assert';
import type { InstancePlan } from '../plan/plan.ts';
import { containerProvisioner } from './container/container-provisioner.ts';
import { missingClockLibrary } from './movable-clock.ts';
import { clusterProvisioner } from './cluster-provisioner.ts';
import { existingProvisioner } from './existing.ts';
import { processProvisioner } from './process-provisioner.ts';
import { sentinelProvisioner } from './sentinel-provisioner.ts';
import type { ProvisionContext, ProvisionedInstance, Provisioner } from './provisioner.ts';

export const PROVISIONERS: readonly Provisioner[] = [
  existingProvisioner,
  containerProvisioner,
  processProvisioner,
  sentinelProvisioner,
  clusterProvisioner,
];

/** One instance, ready for use. @throws SyncError as Provisioner.provision. */
export function provision(plan: InstancePlan, context: ProvisionContext): Promise<ProvisionedInstance> {
  const provisioner = PROVISIONERS.find((candidate) => candidate.accepts(plan));
  assert(provisioner, `no provisioner for instance ${plan.name}`);
  return provisioner.provision(plan, context);
}

/**
 * All instances of a plan at once, by name.
 *
 * @throws the first error, after the instances that did start were stopped.
 */
export async function provisionAll(
  plans: readonly InstancePlan[],
  context: ProvisionContext,
): Promise<Map<string, ProvisionedInstance>> {
  const missing = missingClockLibrary(plans, context.env ?? process.env);
  if (missing !== undefined) throw missing;
  const outcomes = await Promise.allSettled(plans.map((plan) => provision(plan, context)));
  const started = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) {
    await Promise.all(started.map((instance) => instance.stop()));
    throw failed.reason;
  }
  return new Map(started.map((instance) => [instance.name, instance]));
}
