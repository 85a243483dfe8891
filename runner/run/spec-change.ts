/** What is different between the spec a replication runs with and the same file read again. Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { InstancePlan, Plan } from '../plan/plan.ts';

export interface SpecChange {
  /** Instances of the links that are to be found elsewhere, or with another login: taken up at once. */
  moved: InstancePlan[];
  /** Places in the spec that only a restart takes up: `engine.retry`, `links`. */
  needsRestart: string[];
}

/** Keys of an instance that say where it is and how to log in. */
const PLACE: ReadonlySet<string> = new Set([
  'url',
  'urls',
  'sentinel',
  'username',
  'passwordEnv',
  'passwordFile',
  'tls',
]);

/** Data, workload, timeline and checks are of rehearsals: a replication does not look at them. */
export function compareSpecs(before: Plan, after: Plan): SpecChange {
  const linked = new Set(before.links.flatMap(({ source, target }) => [source, target]));
  const moved: InstancePlan[] = [];
  const needsRestart: string[] = isDeepStrictEqual(before.links, after.links) ? [] : ['links'];
  for (const instance of before.instances.filter(({ name }) => linked.has(name))) {
    const now = after.instances.find(({ name }) => name === instance.name);
    const keys = now === undefined ? [] : differingKeys(instance, now);
    if (now !== undefined && keys.some((key) => PLACE.has(key))) moved.push(withPlaceOf(instance, now));
    const others = keys.filter((key) => !PLACE.has(key));
    needsRestart.push(...others.map((key) => `instances.${instance.name}.${key}`));
  }
  needsRestart.push(...differingKeys(before.engine, after.engine).map((key) => `engine (${key})`));
  return { moved, needsRestart };
}

/** The instance as it was, at its new place. */
function withPlaceOf(before: InstancePlan, after: InstancePlan): InstancePlan {
  const { name, kind, version, binary, replicas, config, disposable, capabilities } = before;
  return { ...after, name, kind, version, binary, replicas, config, disposable, capabilities };
}

function differingKeys(before: object, after: object): string[] {
  const left = new Map<string, unknown>(Object.entries(before));
  const right = new Map<string, unknown>(Object.entries(after));
  const keys = [...new Set([...left.keys(), ...right.keys()])];
  return keys.filter((key) => !isDeepStrictEqual(left.get(key), right.get(key)));
}
