/** One source, one target, one link. */
import { closed, name } from '../../spec/schema/piece.ts';
import { defaultLinkId } from './link-id.ts';
import type { TopologyDefinition } from './registry.ts';
import { kindOf, nameAt } from './topology-keys.ts';

export const oneWay: TopologyDefinition = {
  kind: 'one-way',
  summary: 'One source, one target.',
  schema: closed(
    'One source, one target.',
    {
      kind: kindOf('one-way'),
      source: name('Instance that is read.'),
      target: name('Instance that is written.'),
    },
    { required: ['kind', 'source', 'target'] },
  ),
  expand(topology) {
    const source = nameAt(topology, 'source');
    const target = nameAt(topology, 'target');
    return [
      {
        link: { id: defaultLinkId(source, target), source, target },
        source: ['source'],
        target: ['target'],
      },
    ];
  },
};
