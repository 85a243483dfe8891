/** What several kinds of topology are written with, and how it is read out of a valid topology object. */
import { list, NAME_PATTERN, NAME_RULE, text, type JsonSchema } from '../../spec/schema/piece.ts';

type Topology = Readonly<Record<string, unknown>>;

export function kindOf(kind: string): JsonSchema {
  return { description: 'The shape.', type: 'string', const: kind };
}

/** A list of instance names. */
export function names(description: string, minItems: number): JsonSchema {
  return list(description, { type: 'string', pattern: NAME_PATTERN, rule: NAME_RULE }, { minItems });
}

/** Which keys belong to which side: patterns by instance name. */
export const ownershipSchema: JsonSchema = {
  description:
    'Patterns (as of KEYS: user:*, [a-m]*) of the keys that each source owns. They must not overlap; a key that its owner does not own is a finding.',
  type: 'object',
  minProperties: 1,
  additionalProperties: list(
    'Patterns of the keys that only this source writes.',
    text('A pattern, as of KEYS.'),
  ),
  propertyNames: { pattern: NAME_PATTERN, rule: NAME_RULE },
};

export function nameAt(topology: Topology, key: string): string {
  return String(topology[key]);
}

export function namesAt(topology: Topology, key: string): string[] {
  const value = topology[key];
  return Array.isArray(value) ? value.map(String) : [];
}

/** `owns` of a link that begins at `source`, or nothing. */
export function ownedBy(topology: Topology, source: string): { owns?: string[] } {
  const ownership = topology['ownership'];
  const patterns: unknown =
    typeof ownership === 'object' && ownership !== null
      ? Object.entries(ownership).find(([name]) => name === source)?.[1]
      : undefined;
  return Array.isArray(patterns) ? { owns: patterns.map(String) } : {};
}
