/** Runs the schema over a spec's data with ajv, our own keywords included. Returns ajv's errors; wording.ts words them. */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { forValidation, PRESENCE_KEYWORD } from './branches.ts';
import {
  parseCount,
  parseDuration,
  parseLimit,
  parseMoment,
  parseProgress,
  parseRate,
  parseReading,
  parseShare,
  parseSize,
  type Parsed,
} from './quantities.ts';
import type { SpecRegistries } from './registries.ts';
import type { QuantityName } from './schema/piece.ts';
import { specSchema } from './schema/spec.ts';
import { parseSecretReference } from './secrets.ts';

const PARSERS: Readonly<Record<QuantityName, (text: string) => Parsed<unknown>>> = {
  duration: parseDuration,
  size: parseSize,
  rate: parseRate,
  share: parseShare,
  progress: parseProgress,
  count: parseCount,
  limit: parseLimit,
  moment: parseMoment,
  reading: parseReading,
  secret: parseSecretReference,
};

/** Quantities that may also be written as a plain number. */
const PLAIN_NUMBERS: ReadonlySet<QuantityName> = new Set(['size', 'count']);

const compiled = new WeakMap<SpecRegistries, ValidateFunction>();

/** Every error of the data against the schema; none = valid. */
export function schemaErrors(data: unknown, registries: SpecRegistries): ErrorObject[] {
  let validate = compiled.get(registries);
  if (validate === undefined) {
    validate = newAjv().compile(forValidation(specSchema(registries)));
    compiled.set(registries, validate);
  }
  return validate(data) ? [] : [...(validate.errors ?? [])];
}

function newAjv(): Ajv {
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    allowUnionTypes: true,
    strictTypes: false,
    strictRequired: false,
  });
  ajv.addVocabulary(['planned', 'plannedKeys', 'rule', 'atLeast']);
  ajv.addKeyword({
    keyword: 'quantity',
    type: ['string', 'number'],
    schemaType: 'string',
    validate: checkQuantity,
    errors: true,
  });
  ajv.addKeyword({ keyword: PRESENCE_KEYWORD, type: 'object', schemaType: 'array', validate: checkPresence });
  return ajv;
}

interface Check {
  (schema: QuantityName, data: unknown, parentSchema?: { atLeast?: string }): boolean;
  errors?: Partial<ErrorObject>[];
}

const checkQuantity: Check = (quantity, data, parentSchema) => {
  const failure = quantityFailure(quantity, data, parentSchema?.atLeast);
  if (failure === undefined) return true;
  checkQuantity.errors = [
    { keyword: 'quantity', message: failure.reason, params: { expected: failure.expected } },
  ];
  return false;
};

function quantityFailure(
  quantity: QuantityName,
  data: unknown,
  atLeast: string | undefined,
): { reason: string; expected: string } | undefined {
  const parse = PARSERS[quantity];
  const isPlain = typeof data === 'number' && PLAIN_NUMBERS.has(quantity);
  const parsed = isPlain ? undefined : parse(String(data));
  if (parsed?.kind === 'bad') return parsed;
  const value = isPlain ? data : parsed?.value;
  if (isPlain && !(Number.isSafeInteger(data) && data >= 0)) {
    return { reason: `${data} is not a whole number from 0`, expected: 'a whole number from 0' };
  }
  if (atLeast === undefined || typeof value !== 'number') return undefined;
  const least = parse(atLeast);
  const tooSmall = least.kind === 'ok' && typeof least.value === 'number' && value < least.value;
  return tooSmall ? { reason: `${String(data)} is too small`, expected: `at least ${atLeast}` } : undefined;
}

/** Exactly one of the keys. */
function checkPresence(keys: readonly string[], data: object): boolean {
  return keys.filter((key) => key in data).length === 1;
}
