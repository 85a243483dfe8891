/** A chain of instances: each hop starts when the one before it is in sync. */
import { closed } from '../../spec/schema/piece.ts';
import { defaultLinkId } from './link-id.ts';
import type { ExpandedLink, TopologyDefinition } from './registry.ts';
import { kindOf, names, namesAt } from './topology-keys.ts';

export const cascade: TopologyDefinition = {
  kind: 'cascade',
  summary: 'A chain: each instance gets its data from the one before it.',
  schema: closed(
    'A chain: each instance gets its data from the one before it. A hop starts when the one before it is in sync.',
    {
      kind: kindOf('cascade'),
      chain: names('The instances, the first source first.', 3),
    },
    { required: ['kind', 'chain'] },
  ),
  expand: (topology) => hopsOf(namesAt(topology, 'chain'), 'chain'),
};

/** One link from each to the next; `key` is where the list is written. */
export function hopsOf(instances: readonly string[], key: string): ExpandedLink[] {
  const ids = instances.slice(1).map((target, index) => defaultLinkId(instances[index] ?? '', target));
  return ids.map((id, index) => {
    const before = ids[index - 1];
    return {
      link: {
        id,
        source: instances[index] ?? '',
        target: instances[index + 1] ?? '',
        ...(before === undefined ? {} : { startsAfter: before }),
      },
      source: [key, index],
      target: [key, index + 1],
    };
  });
}
