/** Which servers get a clock that can be moved: those that a step aims at which needs it. The others run as they always do. Pure. */
import { findFault } from '../../scenarios/faults/registry.ts';
import type { StepPlan } from '../../scenarios/timeline/step.ts';
import { parseAddress } from '../spec/address.ts';
import type { InstancePlan } from './plan.ts';

export function withMovableClocks(
  instances: readonly InstancePlan[],
  timeline: readonly StepPlan[],
): InstancePlan[] {
  const aimed = new Set(timeline.flatMap(instancesOf));
  return instances.map((plan) => (aimed.has(plan.name) ? { ...plan, movableClock: true } : plan));
}

function instancesOf({ fault, where }: StepPlan): string[] {
  if (where === undefined || findFault(fault)?.requires.includes('clock') !== true) return [];
  const address = parseAddress(where);
  return address.kind === 'ok' && address.value.kind === 'instance' ? [address.value.instance] : [];
}
