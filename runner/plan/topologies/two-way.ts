/** Two instances, both written to by clients: forward copies everything and then follows, reverse only follows. */
import { closed, name } from '../../spec/schema/piece.ts';
import type { TopologyDefinition } from './registry.ts';
import { kindOf, nameAt, ownedBy, ownershipSchema } from './topology-keys.ts';

export const FORWARD = 'forward';
export const REVERSE = 'reverse';

export const twoWay: TopologyDefinition = {
  kind: 'two-way',
  summary: 'Two instances, both written to by clients.',
  mayCircle: true,
  schema: closed(
    'Two instances, both written to by clients. The link forward copies everything and then follows; when it is in sync, reverse starts and only follows.',
    {
      kind: kindOf('two-way'),
      source: name('Instance that has the data at the beginning.'),
      target: name('Instance that gets it.'),
      ownership: ownershipSchema,
    },
    { required: ['kind', 'source', 'target'] },
  ),
  expand(topology) {
    const source = nameAt(topology, 'source');
    const target = nameAt(topology, 'target');
    return [
      {
        link: { id: FORWARD, source, target, ...ownedBy(topology, source) },
        source: ['source'],
        target: ['target'],
      },
      {
        link: {
          id: REVERSE,
          source: target,
          target: source,
          incrementalOnly: true,
          startsAfter: FORWARD,
          ...ownedBy(topology, target),
        },
        source: ['target'],
        target: ['source'],
      },
    ];
  },
};
