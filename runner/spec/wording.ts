/** ajv's errors in a person's words: where to point, what is wrong, what would be right. */
import type { ErrorObject } from 'ajv';
import { PRESENCE_KEYWORD } from './branches.ts';
import type { Part, Path } from './document.ts';
import { isSecretKey } from './redaction.ts';
import type { JsonSchema } from './schema/piece.ts';
import { didYouMean, nearest } from './suggest.ts';
import type { Wording } from './yaml-problems.ts';

export interface Complaint {
  path: Path;
  part: Part;
  wording: Wording;
  /** What it is about has to be taken out of the data before the rest can be checked. */
  remove: boolean;
  /** The key that is missing, or was probably meant; '' = any, the object is of a kind that is not built. */
  meant?: string;
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  object: 'key: value pairs',
  array: 'a list',
  integer: 'a whole number',
  number: 'a number',
  string: 'text',
  boolean: 'true or false',
};

/** Instead of a value that may be a secret. */
const HIDDEN = 'what it is';

/** Consequences of other errors, which say it better. */
const ECHOES: ReadonlySet<string> = new Set(['if', 'propertyNames']);

/** The complaints of all errors. A key that is missing because it is misspelt is one mistake, not two. */
export function wordSchemaErrors(errors: readonly ErrorObject[]): Complaint[] {
  const complaints = errors.map(wordSchemaError).filter((complaint) => complaint !== undefined);
  const isMisspelt = (missing: Complaint): boolean =>
    complaints.some(
      ({ part, path, meant }) =>
        part === 'key' &&
        (meant === missing.meant || meant === '') &&
        labelOf(path.slice(0, -1)) === labelOf(missing.path),
    );
  return complaints.filter(
    (complaint) => complaint.part === 'key' || complaint.meant === undefined || !isMisspelt(complaint),
  );
}

/** The complaint of one error, or undefined if another error says it better. */
function wordSchemaError(error: ErrorObject): Complaint | undefined {
  if (ECHOES.has(error.keyword) || isEcho(error)) return undefined;
  const path = pathOf(error.instancePath);
  if (error.propertyName !== undefined) return wordKey(error, [...path, error.propertyName]);
  switch (error.keyword) {
    case 'additionalProperties':
      return wordUnknownKey(error, path);
    case 'required':
      return {
        path,
        part: 'value',
        wording: wordMissing(error, path),
        remove: false,
        meant: String(error.params['missingProperty']),
      };
    case PRESENCE_KEYWORD:
      return wordPresence(error, path);
    default:
      return { path, part: 'value', wording: wordValue(error, path), remove: true };
  }
}

/** `data[0].keys`; the whole document is "the spec". */
export function labelOf(path: Path): string {
  const label = path
    .map((segment) => (typeof segment === 'number' ? `[${segment}]` : `.${segment}`))
    .join('');
  return label === '' ? 'the spec' : label.replace(/^\./, '');
}

/** JSON pointer to path; list positions become numbers. */
export function pathOf(pointer: string): Path {
  const segments = pointer.split('/').slice(1);
  return segments.map((segment) =>
    /^\d+$/.test(segment) ? Number(segment) : segment.replaceAll('~1', '/').replaceAll('~0', '~'),
  );
}

/** A number where a quantity is wanted: its parser says more ("no unit") than "must be text". */
function isEcho(error: ErrorObject): boolean {
  return error.keyword === 'type' && schemaOf(error).quantity !== undefined && typeof error.data === 'number';
}

function wordKey(error: ErrorObject, path: Path): Complaint {
  const rule = schemaOf(error).rule ?? 'another name';
  return {
    path,
    part: 'key',
    wording: {
      message: `"${String(path.at(-1))}" cannot be a key of ${labelOf(path.slice(0, -1))}`,
      expected: rule,
    },
    remove: true,
  };
}

function wordUnknownKey(error: ErrorObject, path: Path): Complaint {
  const key = String(error.params['additionalProperty'] ?? '');
  const schema = schemaOf(error);
  const known = Object.keys(schema.properties ?? {});
  const where = path.length === 0 ? '' : ` in ${labelOf(path)}`;
  const isPlanned = schema.plannedKeys?.includes(key) === true;
  const wording = isPlanned
    ? { message: `"${key}"${where} is not supported yet`, expected: oneOfWords(known) }
    : { message: `unknown key "${key}"${where}${didYouMean(key, known)}`, expected: oneOfWords(known) };
  const complaint: Complaint = { path: [...path, key], part: 'key', wording, remove: true };
  const meant = isPlanned ? '' : nearest(key, known);
  return meant === undefined ? complaint : { ...complaint, meant };
}

function wordMissing(error: ErrorObject, path: Path): Wording {
  const key = String(error.params['missingProperty']);
  const property = schemaOf(error).properties?.[key];
  const message = `${labelOf(path)} needs "${key}"`;
  const shape = property?.description ?? property?.enum?.join(' or ');
  return shape === undefined ? { message } : { message, expected: `${key}: ${shape}` };
}

function wordPresence(error: ErrorObject, path: Path): Complaint {
  const keys: unknown = error.schema;
  const names = Array.isArray(keys) ? keys.map(String) : [];
  const present = names.filter((name) => isRecord(error.data) && name in error.data);
  const others = isRecord(error.data) ? Object.keys(error.data) : [];
  const guess =
    present.length === 0
      ? others.map((key) => didYouMean(key, names)).find((text) => text !== '')
      : undefined;
  const message =
    present.length === 0
      ? `${labelOf(path)} does not say what it is about${guess ?? ''}`
      : `${labelOf(path)} has ${present.map((name) => `"${name}"`).join(' and ')}, which exclude each other`;
  return {
    path,
    part: 'value',
    wording: { message, expected: `exactly one of ${names.join(', ')}` },
    remove: true,
  };
}

function wordValue(error: ErrorObject, path: Path): Wording {
  const label = labelOf(path);
  const schema = schemaOf(error);
  const shown = showValue(error.data, path);
  switch (error.keyword) {
    case 'type':
      return wordType(error, schema, label, shown);
    case 'enum':
    case 'const':
      return wordEnum(error, schema, label, shown);
    case 'quantity':
      return {
        message: `${label}: ${error.message ?? 'not understood'}`,
        expected: String(error.params['expected']),
      };
    case 'pattern':
      return { message: `${label} cannot be ${shown}`, expected: schema.rule ?? exampleOf(schema) };
    case 'minimum':
      return {
        message: `${label} cannot be ${shown}`,
        expected: `at least ${String(error.params['limit'])}`,
      };
    case 'maximum':
      return { message: `${label} cannot be ${shown}`, expected: `at most ${String(error.params['limit'])}` };
    case 'minLength':
    case 'minItems':
      return {
        message: `${label} ${error.params['limit'] === 1 ? 'is empty' : 'is too short'}`,
        ...wanted(schema),
      };
    case 'maxItems':
      return { message: `${label} is too long`, ...wanted(schema) };
    case 'minProperties':
      return { message: `${label} says too little`, ...wanted(schema) };
    case 'uniqueItems':
      return { message: `${label} lists the same thing twice`, expected: 'each one once' };
    default:
      return { message: `${label} ${error.message ?? 'is wrong'}`, ...wanted(schema) };
  }
}

function wordType(error: ErrorObject, schema: JsonSchema, label: string, shown: string): Wording {
  const types = typesOf(schema).map((type) => TYPE_WORDS[type] ?? type);
  const expected = types.join(' or ');
  if (error.data === null)
    return {
      message: `${label} is empty`,
      expected: typesOf(schema)[0] === 'object' ? `${expected}, or {}` : expected,
    };
  const isPlain = typeof error.data === 'number' || typeof error.data === 'boolean';
  const quotes =
    typesOf(schema).includes('string') && isPlain && shown !== HIDDEN ? ` in quotes: "${shown}"` : '';
  return { message: `${label} cannot be ${shown}`, expected: `${expected}${quotes}` };
}

function wordEnum(error: ErrorObject, schema: JsonSchema, label: string, shown: string): Wording {
  const allowed = (error.keyword === 'const' ? [schema.const] : (schema.enum ?? [])).map(String);
  const value = String(error.data);
  const expected = schema.rule ?? oneOfWords(allowed);
  if (schema.planned?.includes(value) === true)
    return { message: `${label}: ${value} is not supported yet`, expected };
  return { message: `${label} cannot be ${shown}${didYouMean(value, allowed)}`, expected };
}

function wanted(schema: JsonSchema): { expected?: string } {
  const expected = schema.rule ?? schema.description;
  return expected === undefined ? {} : { expected };
}

function exampleOf(schema: JsonSchema): string {
  return typeof schema.default === 'string'
    ? `a text like ${schema.default}`
    : `a text like ${String(schema['pattern'])}`;
}

/** A value as it may be shown; never what could be a secret. */
function showValue(value: unknown, path: Path): string {
  if (path.some((segment) => typeof segment === 'string' && isSecretKey(segment))) return HIDDEN;
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'key: value pairs';
  if (typeof value !== 'string') return String(value);
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value);
}

function oneOfWords(words: readonly string[]): string {
  return words.length === 1 ? (words[0] ?? '') : `one of ${words.join(', ')}`;
}

function typesOf(schema: JsonSchema): readonly string[] {
  if (schema.type === undefined) return [];
  return typeof schema.type === 'string' ? [schema.type] : schema.type;
}

function schemaOf(error: ErrorObject): JsonSchema {
  return error.parentSchema ?? {};
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
