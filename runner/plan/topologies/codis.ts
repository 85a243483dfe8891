/**
 * The groups of a Codis cluster into one target: one link per group, named after it. A group is a primary with replicas and
 * owns ranges of the 1024 slots; without `slots` they are shared evenly.
 */
import { CODIS_SLOTS } from '../../../engine/keys/codis-slot.ts';
import { closed, list, name, NAME_PATTERN, NAME_RULE, whole } from '../../spec/schema/piece.ts';
import type { SlotRange } from '../plan.ts';
import type { TopologyDefinition } from './registry.ts';
import { codisSlotsSchema, parseSlotRanges } from './slot-ranges.ts';
import { kindOf, nameAt, names, namesAt } from './topology-keys.ts';

export const codis: TopologyDefinition = {
  kind: 'codis',
  summary: 'The groups of a Codis cluster, one target.',
  schema: closed(
    'The groups of a Codis cluster, one target: one link per group, named after it.',
    {
      kind: kindOf('codis'),
      groups: names('The groups: each a primary with replicas, reached directly, not through a proxy.', 1),
      target: name('Instance that is written.'),
      slots: {
        description:
          'Slots of each group, e.g. { group-1: [0-511], group-2: [512-1023] }. Default: shared evenly.',
        type: 'object',
        minProperties: 1,
        additionalProperties: codisSlotsSchema,
        propertyNames: { pattern: NAME_PATTERN, rule: NAME_RULE },
      },
      databases: list(
        'Databases that the clients of the cluster use: data and workload go there unless they say otherwise. All others are replicated too.',
        whole('Database number.', 0),
        { default: [0] },
      ),
      start: {
        description: 'Whether all groups start at once, or each when the one before it is in sync.',
        type: 'string',
        enum: ['together', 'in-turn'],
        default: 'together',
      },
      emptyCheck: {
        description:
          'Whether the check that the target is empty leaves out what the other groups have brought there. literal does not, as some instructions have it: with start: in-turn the second group then refuses to start.',
        type: 'string',
        enum: ['group-aware', 'literal'],
        default: 'group-aware',
      },
    },
    { required: ['kind', 'groups', 'target'] },
  ),
  expand(topology) {
    const target = nameAt(topology, 'target');
    const groups = namesAt(topology, 'groups');
    return groups.map((group, index) => {
      const before = topology['start'] === 'in-turn' ? groups[index - 1] : undefined;
      return {
        link: {
          id: group,
          source: group,
          target,
          ...(before === undefined ? {} : { startsAfter: before }),
          codisSlots: slotsOf(topology['slots'], group) ?? [evenShare(index, groups.length)],
          ...(topology['emptyCheck'] === 'literal' ? { emptyCheck: 'literal' as const } : {}),
        },
        source: ['groups', index],
        target: ['target'],
      };
    });
  },
};

function slotsOf(slots: unknown, group: string): SlotRange[] | undefined {
  if (typeof slots !== 'object' || slots === null) return undefined;
  const ranges: unknown = Object.entries(slots).find(([owner]) => owner === group)?.[1];
  return Array.isArray(ranges) ? parseSlotRanges(ranges) : [];
}

function evenShare(index: number, groups: number): SlotRange {
  const first = Math.ceil((index * CODIS_SLOTS) / groups);
  return [first, Math.ceil(((index + 1) * CODIS_SLOTS) / groups) - 1];
}
