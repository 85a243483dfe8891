/** Several sources, one target: every key belongs to exactly one of the sources. */
import { closed, name } from '../../spec/schema/piece.ts';
import { defaultLinkId } from './link-id.ts';
import type { TopologyDefinition } from './registry.ts';
import { kindOf, nameAt, names, namesAt, ownedBy, ownershipSchema } from './topology-keys.ts';

export const manyToOne: TopologyDefinition = {
  kind: 'many-to-one',
  summary: 'Several sources with different keys, one target.',
  schema: closed(
    'Several sources, one target. Every key belongs to one of the sources only.',
    {
      kind: kindOf('many-to-one'),
      sources: names('Instances that are read.', 2),
      target: name('Instance that is written.'),
      ownership: ownershipSchema,
    },
    { required: ['kind', 'sources', 'target'] },
  ),
  expand(topology) {
    const target = nameAt(topology, 'target');
    return namesAt(topology, 'sources').map((source, index) => ({
      link: { id: defaultLinkId(source, target), source, target, ...ownedBy(topology, source) },
      source: ['sources', index],
      target: ['target'],
    }));
  },
};
