/** Every driver there is, by the kind a plan asks for. */
import type { DriverPlan } from '../../plan/driver.ts';
import { Links } from '../links.ts';
import { CommandDriver } from './command.ts';
import type { DriverOptions, EngineDriver } from './driver.ts';
import { ExternalDriver } from './external.ts';
import { ReplicaDriver } from './replica.ts';

/** Nothing is started yet. */
export function createDriver(plan: DriverPlan, options: DriverOptions): EngineDriver {
  switch (plan.kind) {
    case 'redis-sync':
      return new Links(options);
    case 'replica':
      return new ReplicaDriver(options);
    case 'external':
      return new ExternalDriver(options, plan.watch);
    case 'command':
      return new CommandDriver(options, plan);
    default:
      return plan satisfies never;
  }
}
