/**
 * A closed chain of three or more, all of them written to by clients: the data goes once round as full syncs, and the link
 * that closes the circle is incremental only. No managed service has it; it is what origins carried along make possible.
 */
import { closed } from '../../spec/schema/piece.ts';
import { hopsOf } from './cascade.ts';
import { defaultLinkId } from './link-id.ts';
import type { TopologyDefinition } from './registry.ts';
import { kindOf, names, namesAt } from './topology-keys.ts';

export const ring: TopologyDefinition = {
  kind: 'ring',
  summary: 'A closed chain, every instance written to by clients.',
  mayCircle: true,
  schema: closed(
    'A closed chain, every instance written to by clients. The first one has the data at the beginning.',
    {
      kind: kindOf('ring'),
      members: names('The instances, in the order of the circle; the first one has the data.', 3),
    },
    { required: ['kind', 'members'] },
  ),
  expand(topology) {
    const members = namesAt(topology, 'members');
    const hops = hopsOf(members, 'members');
    const [first = '', last = ''] = [members[0], members.at(-1)];
    const before = hops.at(-1)?.link.id;
    return [
      ...hops,
      {
        link: {
          id: defaultLinkId(last, first),
          source: last,
          target: first,
          incrementalOnly: true,
          ...(before === undefined ? {} : { startsAfter: before }),
        },
        source: ['members', members.length - 1],
        target: ['members', 0],
      },
    ];
  },
};
