/** From the `mix:` of a spec to weighted operations. */
import { FAMILIES } from './families.ts';
import type { Family, Operation } from './operation.ts';

export interface WeightedOperation {
  operation: Operation;
  family: Family;
  weight: number;
}

/** Every family. Plain writes are most of it, as they are most of life. */
export const DEFAULT_MIX: Readonly<Record<string, number>> = {
  string: 30,
  hash: 14,
  list: 12,
  sets: 8,
  zset: 8,
  key: 8,
  stream: 5,
  multi: 4,
  bit: 2,
  hll: 2,
  geo: 2,
  script: 2,
  function: 1,
  pubsub: 1,
  expiry: 1,
};

/**
 * The operations a mix stands for. Each name is a family or a command, in lower case; its weight is divided among its
 * operations. A command name takes in the operations of every family except the expiring ones, which must be asked for.
 *
 * @returns `unknown`: the names that are neither, when there are any.
 */
export function resolveMix(
  mix: Readonly<Record<string, number>>,
): { ok: WeightedOperation[] } | { unknown: string[] } {
  const entries = Object.entries(mix).map(([name, weight]) => ({
    name,
    weight,
    matches: operationsNamed(name),
  }));
  const unknown = entries.filter(({ matches }) => matches.length === 0).map(({ name }) => name);
  if (unknown.length > 0) return { unknown };
  return {
    ok: entries.flatMap(({ weight, matches }) => {
      const total = matches.reduce((sum, { operation }) => sum + (operation.weight ?? 1), 0);
      return matches.map((match) => ({ ...match, weight: (weight * (match.operation.weight ?? 1)) / total }));
    }),
  };
}

function operationsNamed(name: string): { operation: Operation; family: Family }[] {
  const family = FAMILIES.find((each) => each.name === name);
  if (family) return family.operations.map((operation) => ({ operation, family }));
  return FAMILIES.filter((each) => each.expiring !== true).flatMap((each) =>
    each.operations
      .filter((operation) => operation.command === name)
      .map((operation) => ({ operation, family: each })),
  );
}
