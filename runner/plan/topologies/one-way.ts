/** One source, one target, one link. */
import { closed, name } from '../../spec/schema/piece.ts';
import type { LinkPlan } from '../plan.ts';
import type { TopologyDefinition } from './registry.ts';

export const oneWay: TopologyDefinition = {
  kind: 'one-way',
  summary: 'One source, one target.',
  schema: closed(
    'One source, one target.',
    {
      kind: { description: 'The shape.', type: 'string', const: 'one-way' },
      source: name('Instance that is read.'),
      target: name('Instance that is written.'),
    },
    { required: ['kind', 'source', 'target'] },
  ),
  expand(topology): LinkPlan[] {
    const source = String(topology['source']);
    const target = String(topology['target']);
    return [{ id: defaultLinkId(source, target), source, target }];
  },
};

/** The id of a link that got none: it says what flows where. */
export function defaultLinkId(source: string, target: string): string {
  return `${source}-to-${target}`;
}
