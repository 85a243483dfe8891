/** How instances that are filled or written to together share the keys. */
import { CodisSlotTable, placeEvenly, type Placement } from '../../scenarios/data/placement.ts';
import type { Plan } from '../plan/plan.ts';
import type { ClusterParts } from './cluster-parts.ts';

/** The slots of the plan's Codis groups as they are at the beginning; undefined when there are none. */
export function codisSlotsOf({ links }: Plan): CodisSlotTable | undefined {
  const groups = links.flatMap(({ source, codisSlots }) =>
    codisSlots === undefined ? [] : [{ name: source, ranges: codisSlots }],
  );
  return groups.length === 0 ? undefined : new CodisSlotTable(groups);
}

export interface KeyShare {
  placement: Placement;
  instance: string;
  among: readonly string[];
}

/** What belongs to one of the instances `among`; nothing is said when it has everything for itself. */
export function shareOf(
  instance: string,
  among: readonly string[],
  slots: CodisSlotTable | undefined,
): { share?: KeyShare } {
  if (slots !== undefined) return { share: { placement: slots.place, instance, among } };
  return among.length === 1 ? {} : { share: { placement: placeEvenly(among), instance, among } };
}

/**
 * What belongs to one shard of a cluster, of what belongs to the cluster. `outer`: the cluster's own share; undefined when it
 * has everything for itself.
 */
export function shareOfPart(
  part: string,
  { parts, placement }: ClusterParts,
  outer: KeyShare | undefined,
): KeyShare {
  const names = parts.map(({ name }) => name);
  if (outer === undefined) return { placement, instance: part, among: names };
  return {
    placement: (key) => {
      const owner = outer.placement(key);
      return owner === outer.instance ? placement(key) : owner;
    },
    instance: part,
    among: [...names, ...outer.among],
  };
}
