/**
 * What the pieces of the spec's schema are made of. Plain draft-07, plus five keywords of our own which are taken out
 * before the schema is published: they say what JSON Schema cannot, and make the error messages.
 */

/** A value with a unit or a grammar of its own; the words of runner/spec/quantities.ts. */
export type QuantityName =
  | 'duration'
  | 'size'
  | 'rate'
  | 'share'
  | 'progress'
  | 'count'
  | 'limit'
  | 'moment'
  | 'reading'
  | 'secret';

export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly oneOf?: readonly JsonSchema[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly description?: string;
  readonly default?: unknown;
  readonly $ref?: string;
  /** Own keyword: parse the text as this quantity. */
  readonly quantity?: QuantityName;
  /** Own keyword, with `quantity`: the smallest value, written the same way. */
  readonly atLeast?: string;
  /** Own keyword, with `enum`: values that are designed but not built, to be refused as such. */
  readonly planned?: readonly string[];
  /** Own keyword, with `properties`: keys that are designed but not built. */
  readonly plannedKeys?: readonly string[];
  /** Own keyword, with `pattern`: the rule in words. */
  readonly rule?: string;
  readonly [keyword: string]: unknown;
}

export const OWN_KEYWORDS = ['quantity', 'atLeast', 'planned', 'plannedKeys', 'rule'] as const;

/** Names of instances, links, steps and workloads: what can stand unquoted in every YAML position. */
export const NAME_PATTERN = '^[A-Za-z][A-Za-z0-9_-]{0,63}$';
export const NAME_RULE = 'a name: letters, digits, - and _, beginning with a letter';

/** An object that knows all its keys. */
export function closed(
  description: string,
  properties: Readonly<Record<string, JsonSchema>>,
  more: JsonSchema = {},
): JsonSchema {
  return { description, type: 'object', properties, additionalProperties: false, ...more };
}

export function name(description: string, more: JsonSchema = {}): JsonSchema {
  return { description, type: 'string', pattern: NAME_PATTERN, rule: NAME_RULE, ...more };
}

export function text(description: string, more: JsonSchema = {}): JsonSchema {
  return { description, type: 'string', minLength: 1, ...more };
}

export function whole(description: string, minimum: number, more: JsonSchema = {}): JsonSchema {
  return { description, type: 'integer', minimum, ...more };
}

export function duration(description: string, more: JsonSchema = {}): JsonSchema {
  return {
    description,
    type: 'string',
    quantity: 'duration',
    pattern: '^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$',
    ...more,
  };
}

/** A size with its unit, or a plain number of bytes. */
export function size(description: string, more: JsonSchema = {}): JsonSchema {
  return {
    description,
    type: ['string', 'integer'],
    quantity: 'size',
    pattern: '^[0-9]+(\\.[0-9]+)?([bB]|[kKmMgGtT][bB])$',
    ...more,
  };
}

/** A list of one or more different items. */
export function list(description: string, items: JsonSchema, more: JsonSchema = {}): JsonSchema {
  return { description, type: 'array', items, minItems: 1, uniqueItems: true, ...more };
}

/** One instance name or a list of them. */
export function into(description: string): JsonSchema {
  return {
    description,
    type: ['string', 'array'],
    items: { type: 'string' },
    minItems: 1,
    uniqueItems: true,
  };
}
