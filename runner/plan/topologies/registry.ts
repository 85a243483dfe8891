/**
 * The topology kinds: each expands into links. A new kind is a file beside this one and a line in the list. Explicit
 * `links:` need no kind.
 */
import type { JsonSchema } from '../../spec/schema/piece.ts';
import type { LinkPlan } from '../plan.ts';
import { oneWay } from './one-way.ts';

export interface TopologyDefinition {
  readonly kind: string;
  readonly summary: string;
  /** One object of `topology:`, its `kind` a const. */
  readonly schema: JsonSchema;
  /** The links of a valid topology object. */
  expand(topology: Readonly<Record<string, unknown>>): LinkPlan[];
}

export const TOPOLOGIES: readonly TopologyDefinition[] = [oneWay];

/** Kinds that are designed and not built: refused as such, not as a typing mistake. */
export const PLANNED_TOPOLOGIES = ['one-to-many', 'cascade', 'many-to-one', 'two-way', 'codis'] as const;
