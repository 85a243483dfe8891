/** Instance plans for tests: what a spec with `{}` expands to, with some fields replaced. */
import type { InstancePlan } from '../../../runner/plan/plan.ts';

export function instancePlan(fields: Partial<InstancePlan> = {}): InstancePlan {
  return {
    name: 'source',
    kind: 'standalone',
    version: '',
    binary: '',
    replicas: 0,
    shards: 1,
    sentinels: 0,
    config: {},
    disposable: false,
    capabilities: {},
    ...fields,
  };
}
