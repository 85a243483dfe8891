/** One source, several targets: one link each. The source is read once for all of them. */
import { closed, name } from '../../spec/schema/piece.ts';
import { defaultLinkId } from './link-id.ts';
import type { TopologyDefinition } from './registry.ts';
import { kindOf, nameAt, names, namesAt } from './topology-keys.ts';

export const oneToMany: TopologyDefinition = {
  kind: 'one-to-many',
  summary: 'One source, several targets, each with its own state and verdict.',
  schema: closed(
    'One source, several targets. The source is read once for all of them.',
    {
      kind: kindOf('one-to-many'),
      source: name('Instance that is read.'),
      targets: names('Instances that are written.', 2),
    },
    { required: ['kind', 'source', 'targets'] },
  ),
  expand(topology) {
    const source = nameAt(topology, 'source');
    return namesAt(topology, 'targets').map((target, index) => ({
      link: { id: defaultLinkId(source, target), source, target },
      source: ['source'],
      target: ['targets', index],
    }));
  },
};
