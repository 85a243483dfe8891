import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { describe, expect, test } from 'vitest';
import { parseResults } from '../../reports/parse-results.ts';
import { RESULTS_SCHEMA } from '../../reports/results-schema.ts';
import type { Results } from '../../reports/results.ts';
import { FAILED, PASSED } from './sample-runs.ts';

const ajv = new Ajv({ strict: true, allErrors: true });
addFormats.default(ajv);
const validate = ajv.compile(RESULTS_SCHEMA);

/** A run that ended while provisioning: everything that can be absent is. */
const ENDED_EARLY: Results = {
  ...PASSED,
  verdict: 'unknown',
  instances: [],
  links: [],
  precheck: [],
  phases: [],
  workload: [],
  comparison: null,
  checks: [],
  error: { code: 'PROVISION', message: 'No redis-server was found.' },
};

test.each([
  ['a run that passed', PASSED],
  ['a run with everything in it', FAILED],
  ['a run that ended early', ENDED_EARLY],
])('%s is valid, and is read back the same', (_name, results) => {
  validate(results);
  expect(validate.errors).toBeNull();
  expect(parseResults(JSON.stringify(results))).toEqual({ kind: 'results', results });
});

describe('refuses', () => {
  test.each<[string, unknown]>([
    ['another version', { ...PASSED, schemaVersion: 2 }],
    ['an unknown verdict', { ...PASSED, verdict: 'ok' }],
    ['a property nobody knows', { ...PASSED, extra: 1 }],
    ['a missing property', { ...PASSED, checks: undefined }],
    ['a nested property nobody knows', { ...PASSED, run: { ...PASSED.run, password: 'x' } }],
    ['a time that is none', { ...PASSED, run: { ...PASSED.run, startedAt: 'yesterday' } }],
    ['something else', []],
  ])('%s', (_name, value) => {
    const parsed = parseResults(JSON.stringify(value));
    expect(parsed).toMatchObject({ kind: 'invalid', problems: [expect.stringMatching(/^\/\S* \S/)] });
  });

  test('text that is not JSON', () => {
    expect(parseResults('{"schemaVersion": 1')).toMatchObject({ kind: 'invalid' });
  });
});
