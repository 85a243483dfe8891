/** Mixes: families, commands, what `set` means, and what is unknown. */
import { describe, expect, test } from 'vitest';
import { COMMAND_NAMES, FAMILIES, FAMILY_NAMES } from '../../../scenarios/workload/families.ts';
import { DEFAULT_MIX, resolveMix, type WeightedOperation } from '../../../scenarios/workload/mix.ts';

function operations(mix: Record<string, number>): WeightedOperation[] {
  const resolved = resolveMix(mix);
  if ('unknown' in resolved) throw new Error(`unknown: ${resolved.unknown.join()}`);
  return resolved.ok;
}
const weightOf = (mix: Record<string, number>): number =>
  operations(mix).reduce((sum, { weight }) => sum + weight, 0);

describe('resolveMix', () => {
  test('the mix of the spec language resolves to exactly its commands', () => {
    const mix = { set: 40, hset: 20, rpush: 15, incr: 10, del: 10, expire: 5 };
    expect(new Set(operations(mix).map(({ operation }) => operation.command))).toEqual(
      new Set(Object.keys(mix)),
    );
    expect(weightOf(mix)).toBeCloseTo(100);
  });

  test('`set` is the command, `sets` the family', () => {
    expect(new Set(operations({ set: 1 }).map(({ operation }) => operation.command))).toEqual(
      new Set(['set']),
    );
    expect(operations({ sets: 1 }).map(({ operation }) => operation.command)).toContain('sunionstore');
  });

  test.each(FAMILY_NAMES)('family %s has operations and keeps its weight', (family) => {
    expect(operations({ [family]: 3 }).length).toBeGreaterThan(1);
    expect(weightOf({ [family]: 3 })).toBeCloseTo(3);
  });

  test.each(COMMAND_NAMES)('command %s can be named', (command) => {
    expect(operations({ [command]: 1 }).length).toBeGreaterThan(0);
  });

  test('a command name never brings in keys that expire at once', () => {
    const expiring = operations(Object.fromEntries(COMMAND_NAMES.map((name) => [name, 1]))).filter(
      ({ family }) => family.expiring,
    );
    expect(expiring).toEqual([]);
    expect(operations({ expiry: 1 }).every(({ family }) => family.expiring === true)).toBe(true);
  });

  test('every unknown name is told', () => {
    expect(resolveMix({ set: 1, sett: 1, SET: 1, flushall: 1 })).toEqual({
      unknown: ['sett', 'SET', 'flushall'],
    });
  });

  test('the default mix covers every family', () => {
    expect(Object.keys(DEFAULT_MIX).toSorted()).toEqual([...FAMILY_NAMES].toSorted());
    expect(operations(DEFAULT_MIX).length).toBe(
      FAMILIES.reduce((sum, family) => sum + family.operations.length, 0),
    );
  });
});
