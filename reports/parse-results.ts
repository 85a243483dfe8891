/** Reading `results.json` back: `redis-sync report RUN` renders what an earlier, perhaps older, redis-sync wrote. */
import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { RESULTS_SCHEMA } from './results-schema.ts';
import type { Results } from './results.ts';

export type ParsedResults = { kind: 'results'; results: Results } | { kind: 'invalid'; problems: string[] };

let compiled: ValidateFunction<Results> | undefined;

/** Text of `results.json` → the document, or what is wrong with it (at most a few lines, each with its place). */
export function parseResults(json: string): ParsedResults {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    return { kind: 'invalid', problems: [error instanceof Error ? error.message : String(error)] };
  }
  compiled ??= compile();
  if (compiled(value)) return { kind: 'results', results: value };
  const errors = compiled.errors ?? [];
  return {
    kind: 'invalid',
    problems: errors.map((error) => `${error.instancePath || '/'} ${error.message ?? 'is wrong'}`),
  };
}

function compile(): ValidateFunction<Results> {
  const ajv = new Ajv({ allErrors: false });
  addFormats.default(ajv);
  return ajv.compile<Results>(RESULTS_SCHEMA);
}
