/** Policies of `engine:` that cannot work with these instances and links. */
import { circleOf } from '../../plan/circles.ts';
import type { RuleContext } from './rule.ts';

export function checkPolicies(context: RuleContext): void {
  checkDurability(context);
  checkOverwrite(context);
  checkConflict(context);
  checkClusterCircle(context);
}

/** A provisioned target has the replicas that the spec gives it; of an existing one nobody knows here. */
function checkDurability({ spec, flows, report }: RuleContext): void {
  const durability = spec.engine?.durability;
  if (typeof durability !== 'object' || durability.replicas === undefined) return;
  const wanted = durability.replicas;
  for (const name of new Set(flows.map(({ target }) => target))) {
    const instance = spec.instances?.[name];
    if (instance === undefined || 'url' in instance || 'urls' in instance || 'sentinel' in instance) continue;
    const replicas = instance.replicas ?? 0;
    if (replicas >= wanted) continue;
    report(['engine', 'durability', 'replicas'], 'value', {
      message: `"${name}" has ${replicas} replicas: no write would ever be durable`,
      expected: replicas === 0 ? `${name}: { replicas: ${wanted} }` : `at most ${replicas}`,
    });
  }
}

/** Each link would delete what the other has copied. */
function checkOverwrite({ spec, flows, report }: RuleContext): void {
  if (spec.engine?.existing !== 'overwrite') return;
  const shared = flows.find(({ target }, index) =>
    flows.slice(0, index).some((other) => other.target === target),
  );
  if (shared === undefined) return;
  report(['engine', 'existing'], 'value', {
    message: `several links write to "${shared.target}", and each would delete what the others have copied`,
    expected: 'merge, or fail',
  });
}

/** Each shard has a process of its own: nobody sees what crosses, and a key that is read again would replace newer writes. */
function checkClusterCircle({ spec, flows, report }: RuleContext): void {
  const { conflict, crossSlot } = spec.engine ?? {};
  for (const flow of flows) {
    const cluster = circleOf(flows, flow)?.find((name) => spec.instances?.[name]?.kind === 'cluster');
    if (cluster === undefined) continue;
    if (conflict !== undefined && conflict !== 'overwrite')
      report(['engine', 'conflict'], 'value', {
        message: `"${cluster}" is a cluster, and one of a circle: its shards have processes of their own, and none sees all writes that cross`,
        expected: 'overwrite',
      });
    if (crossSlot === 'refetch')
      report(['engine', 'crossSlot'], 'value', {
        message: `"${cluster}" is a cluster, and one of a circle: keys that are read again would replace what was written there meanwhile`,
        expected: 'split, or fail',
      });
    return;
  }
}

/** Who wins is decided where all links of a circle meet, by what their streams say of one another. */
function checkConflict({ spec, flows, report }: RuleContext): void {
  const policy = spec.engine?.conflict;
  if (policy === undefined || policy === 'overwrite') return;
  const circles = new Map(
    flows.flatMap((flow) => circleOf(flows, flow) ?? []).map((name) => [name, new Set<string>()]),
  );
  for (const flow of flows) {
    const circle = circleOf(flows, flow);
    for (const name of circle ?? []) circles.get(name)?.add(circle?.join(' → ') ?? '');
  }
  for (const [name, own] of circles) {
    if (own.size < 2) continue;
    report(['engine', 'conflict'], 'value', {
      message: `"${name}" is in several circles (${[...own].join(', ')}): writes that cross beyond it are not seen by all of them`,
      expected: 'overwrite, or one pair or ring by itself',
    });
    return;
  }
}
