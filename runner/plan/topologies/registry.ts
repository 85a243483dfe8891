/**
 * The topology kinds: each expands into links. A new kind is a file beside this one and a line in the list. Explicit
 * `links:` need no kind.
 */
import type { JsonSchema } from '../../spec/schema/piece.ts';
import type { LinkPlan } from '../plan.ts';
import { cascade } from './cascade.ts';
import { codis } from './codis.ts';
import { manyToOne } from './many-to-one.ts';
import { oneToMany } from './one-to-many.ts';
import { oneWay } from './one-way.ts';
import { ring } from './ring.ts';
import { twoWay } from './two-way.ts';

/** Keys and list positions inside `topology:`. */
type Place = readonly (string | number)[];

/** A link, and where in the topology its ends are written: that is where a mistake is shown. */
export interface ExpandedLink {
  link: LinkPlan;
  source: Place;
  target: Place;
}

export interface TopologyDefinition {
  readonly kind: string;
  readonly summary: string;
  /** One object of `topology:`, its `kind` a const. */
  readonly schema: JsonSchema;
  /** Its links may lead back to where they began: it has what keeps changes from going round for ever. */
  readonly mayCircle?: true;
  /** The links of a valid topology object. */
  expand(topology: Readonly<Record<string, unknown>>): ExpandedLink[];
}

export const TOPOLOGIES: readonly TopologyDefinition[] = [
  oneWay,
  oneToMany,
  cascade,
  manyToOne,
  twoWay,
  ring,
  codis,
];
