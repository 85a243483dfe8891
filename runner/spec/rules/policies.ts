/** Policies of `engine:` that cannot work with these instances and links. */
import type { RuleContext } from './rule.ts';

export function checkPolicies(context: RuleContext): void {
  checkDurability(context);
  checkOverwrite(context);
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
