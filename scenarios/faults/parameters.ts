/** What a step may say in `with:`: pieces of schema, and the values they mean. */
import { SyncError } from '../../engine/errors.ts';

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };
const UNITS_BYTES: Readonly<Record<string, number>> = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 };

type Schema = Readonly<Record<string, unknown>>;

/** A duration such as 500ms, 5s or 2m. */
export function durationOf(description: string, standard?: string): Schema {
  return { description, type: 'string', pattern: '^[0-9]+(ms|s|m)$', ...withDefault(standard) };
}

/** A duration with a sign: 30s, or -30s. */
export function shiftOf(description: string, standard: string): Schema {
  return { description, type: 'string', pattern: '^-?[0-9]+(ms|s|m)$', default: standard };
}

/** A size such as 512b, 16kb or 3mb. */
export function sizeOf(description: string, standard?: string): Schema {
  return { description, type: 'string', pattern: '^[0-9]+(b|kb|mb|gb)$', ...withDefault(standard) };
}

export function countOf(description: string, standard?: number, minimum = 1): Schema {
  return { description, type: 'integer', minimum, ...withDefault(standard) };
}

export function flagOf(description: string, standard: boolean): Schema {
  return { description, type: 'boolean', default: standard };
}

export function choiceOf(description: string, words: readonly string[], standard: string): Schema {
  return { description, type: 'string', enum: words, default: standard };
}

export function textParameter(description: string, standard: string): Schema {
  return { description, type: 'string', minLength: 1, default: standard };
}

/** The schema of `with:` that knows these keys and no others. */
export function settings(
  properties: Readonly<Record<string, Schema>>,
  required: readonly string[] = [],
): Schema {
  return {
    type: 'object',
    additionalProperties: false,
    properties,
    ...(required.length === 0 ? {} : { required }),
  };
}

function withDefault(standard: string | number | undefined): Schema {
  return standard === undefined ? {} : { default: standard };
}

/** Reads the values of a step's `with`, which the schema has checked. @throws SyncError SPEC_INVALID when one is not of its kind. */
export class Parameters {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #where: string;

  constructor(context: { step: string; with: Readonly<Record<string, unknown>> }) {
    this.#values = context.with;
    this.#where = `step ${context.step}`;
  }

  durationMs(name: string, standard: string): number {
    return this.#quantity(name, standard, UNITS_MS, '500ms, 5s or 2m');
  }

  /** As durationMs; negative with a minus in front. */
  shiftMs(name: string, standard: string): number {
    const text = this.text(name, standard);
    const isBack = text.startsWith('-');
    const factor = isBack ? -1 : 1;
    return factor * this.#read(name, isBack ? text.slice(1) : text, UNITS_MS, '30s or -30s');
  }

  bytes(name: string, standard: string): number {
    return this.#quantity(name, standard, UNITS_BYTES, '512b, 16kb or 3mb');
  }

  count(name: string, standard: number): number {
    const value = this.#values[name] ?? standard;
    if (typeof value !== 'number' || !Number.isInteger(value)) throw this.#wrong(name, 'a whole number');
    return value;
  }

  flag(name: string, standard: boolean): boolean {
    const value = this.#values[name] ?? standard;
    if (typeof value !== 'boolean') throw this.#wrong(name, 'true or false');
    return value;
  }

  text(name: string, standard: string): string {
    const value = this.#values[name] ?? standard;
    if (typeof value !== 'string') throw this.#wrong(name, 'a text');
    return value;
  }

  /** One of the words. */
  choice<W extends string>(name: string, words: readonly W[], standard: W): W {
    const value = this.#values[name] ?? standard;
    const found = words.find((word) => word === value);
    if (found === undefined) throw this.#wrong(name, words.join(' or '));
    return found;
  }

  texts(name: string, standard: readonly string[]): readonly string[] {
    const value = this.#values[name] ?? standard;
    if (!Array.isArray(value) || !value.every((each) => typeof each === 'string'))
      throw this.#wrong(name, 'a list of texts');
    return value;
  }

  /** Names and values, all as text. */
  pairs(name: string): Readonly<Record<string, string>> {
    const value = this.#values[name] ?? {};
    if (typeof value !== 'object' || value === null) throw this.#wrong(name, 'key: value pairs');
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, String(each)]));
  }

  #quantity(
    name: string,
    standard: string,
    units: Readonly<Record<string, number>>,
    expected: string,
  ): number {
    return this.#read(name, this.#values[name] ?? standard, units, expected);
  }

  #read(name: string, value: unknown, units: Readonly<Record<string, number>>, expected: string): number {
    const [, digits, unit] = /^(\d+)([a-z]+)$/.exec(typeof value === 'string' ? value : '') ?? [];
    const factor = units[unit ?? ''];
    if (digits === undefined || factor === undefined) throw this.#wrong(name, expected);
    return Number(digits) * factor;
  }

  #wrong(name: string, expected: string): SyncError {
    return new SyncError('SPEC_INVALID', `\`${name}\` is ${expected}.`, { where: this.#where });
  }
}
