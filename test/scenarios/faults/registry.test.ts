/** The contract every fault keeps; it grows with the registry. */
import { Ajv } from 'ajv';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { describeFaults } from '../../../scenarios/faults/describe-faults.ts';
import { FAULTS, findFault } from '../../../scenarios/faults/registry.ts';

test('docs/faults.md is fresh (npm run generate)', () => {
  expect(readFileSync(new URL('../../../docs/faults.md', import.meta.url), 'utf8')).toBe(
    describeFaults(FAULTS),
  );
});

test('names are unique and found', () => {
  expect(new Set(FAULTS.map((fault) => fault.name)).size).toBe(FAULTS.length);
  for (const fault of FAULTS) expect(findFault(fault.name)).toBe(fault);
  expect(findFault('no-such')).toBeNull();
});

describe.each(FAULTS.map((fault) => [fault.name, fault] as const))('%s', (name, fault) => {
  test('is named like a spec word and says what it does in a sentence', () => {
    expect(name).toMatch(/^[a-z][a-z-]*$/);
    expect(fault.summary).toMatch(/^[A-Z].*\.$/);
  });

  test('has a schema that compiles and refuses unknown parameters', () => {
    const validate = new Ajv({ strict: true, useDefaults: false, allowUnionTypes: true }).compile(
      fault.schema,
    );
    expect(validate({ 'no-such-parameter': 1 })).toBe(false);
  });
});

describe('the schema of script', () => {
  const validate = new Ajv().compile(findFault('script')?.schema ?? {});

  test.each([
    [true, { commands: ['SET k v', ['DEL', 'k']], database: 3 }],
    [false, { commands: ['PING'], on: 'target' }],
    [true, { run: 'true', env: { A: 'b' }, timeout: '500ms' }],
    [false, {}],
    [false, { commands: [] }],
    [false, { commands: ['PING'], run: 'true' }],
    [false, { commands: [[]] }],
    [false, { run: 'true', timeout: '5 minutes' }],
    [false, { run: 'true', database: 1 }],
  ])('says %s to %j', (valid, parameters) => {
    expect(validate(parameters)).toBe(valid);
  });
});
