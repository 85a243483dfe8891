/**
 * Turns the schema's `oneOf`s into choices before it is used for validation. A failed `oneOf` complains about every
 * branch at once; here the branch is chosen first, by what tells the branches apart, and only that one complains.
 */
import type { JsonSchema } from './schema/piece.ts';

/** Our keyword: exactly one of these keys says which branch is meant. */
export const PRESENCE_KEYWORD = 'presence';

/** A copy of the schema without `oneOf` and without `pattern` where our own `quantity` knows better. */
export function forValidation(schema: JsonSchema): JsonSchema {
  const { oneOf, pattern, ...rest } = schema;
  const copy: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(rest)) copy[keyword] = convert(keyword, value);
  if (pattern !== undefined && schema.quantity === undefined) copy['pattern'] = pattern;
  return oneOf === undefined ? copy : { ...copy, ...choice(oneOf.map(forValidation), schema.planned) };
}

function convert(keyword: string, value: unknown): unknown {
  if (keyword === 'default' || keyword === 'examples') return value;
  if (keyword === 'properties' || keyword === 'definitions') {
    const entries = Object.entries(isObject(value) ? value : {});
    return Object.fromEntries(
      entries.map(([key, inner]) => [key, isObject(inner) ? forValidation(inner) : inner]),
    );
  }
  return isObject(value) ? forValidation(value) : value;
}

function choice(branches: readonly JsonSchema[], planned: readonly string[] | undefined): JsonSchema {
  const [first] = branches;
  if (branches.some((branch) => branch.type !== first?.type)) return byType(branches);
  const keys = [...new Set(branches.map((branch) => branch.required?.[0] ?? ''))];
  const groups = keys.map((key) => ({
    key,
    members: branches.filter((branch) => branch.required?.[0] === key),
  }));
  if (groups.length === 1 && keys[0] !== undefined) return byTag(keys[0], branches, planned);
  return {
    type: 'object',
    [PRESENCE_KEYWORD]: keys,
    allOf: groups.map(({ key, members }) => {
      const others = Object.fromEntries(keys.filter((other) => other !== key).map((other) => [other, false]));
      return chosenIf(
        { required: [key], properties: others },
        members.length === 1 ? (members[0] ?? {}) : byTag(key, members),
      );
    }),
  };
}

/** Told apart by the JSON type: a word, or an object. */
function byType(branches: readonly JsonSchema[]): JsonSchema {
  return {
    type: branches.flatMap((branch) => branch.type ?? []),
    allOf: branches.map((branch) => chosenIf({ type: branch.type }, branch)),
  };
}

/** Told apart by a key whose value is a constant in every branch. */
function byTag(tag: string, branches: readonly JsonSchema[], planned: readonly string[] = []): JsonSchema {
  const tagged = branches.map((branch) => ({ branch, value: branch.properties?.[tag]?.const }));
  // One branch without a constant needs no choosing.
  if (tagged.length === 1 && tagged[0]?.value === undefined) return branches[0] ?? {};
  return {
    type: 'object',
    required: [tag],
    properties: { [tag]: { type: 'string', enum: tagged.map(({ value }) => value), planned } },
    allOf: tagged.map(({ branch, value }) =>
      chosenIf({ properties: { [tag]: { const: value } }, required: [tag] }, branch),
    ),
  };
}

function chosenIf(condition: object, branch: JsonSchema): JsonSchema {
  // oxlint-disable-next-line unicorn/no-thenable -- the keyword is JSON Schema's
  return { if: condition, then: branch };
}

function isObject(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
