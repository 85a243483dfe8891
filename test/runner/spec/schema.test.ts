/** The published schema: fresh, plain draft-07, described everywhere, and of one mind with the loader. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { describePlan } from '../../../runner/plan/describe.ts';
import { renderSchema, renderTypes } from '../../../runner/setup/generate-types.mjs';
import { loadSpec } from '../../../runner/spec/load.ts';
import { REGISTRIES } from '../../../runner/spec/registries.ts';
import { OWN_KEYWORDS, type JsonSchema } from '../../../runner/spec/schema/piece.ts';
import { publishedSchema, specSchema } from '../../../runner/spec/schema/spec.ts';
import { HEAD } from './problems.ts';

const ROOT = join(import.meta.dirname, '../../..');
const published = publishedSchema(REGISTRIES);

/** Every place of the schema that describes a key of the spec, by its path. */
function keysOf(schema: JsonSchema, path = ''): [string, JsonSchema][] {
  const own = Object.entries(schema.properties ?? {}).map(([key, inner]): [string, JsonSchema] => [
    `${path}.${key}`,
    inner,
  ]);
  const definitions = isRecord(schema['definitions']) ? Object.entries(schema['definitions']) : [];
  const branches = (schema.oneOf ?? []).map((inner, position): [string, JsonSchema] => [
    `${path}(${position})`,
    inner,
  ]);
  const nested = [
    ...own,
    ...branches,
    ...definitions.map(([key, inner]): [string, JsonSchema] => [`#${key}`, asSchema(inner)]),
  ];
  return [...own, ...nested.flatMap(([where, inner]) => keysOf(inner, where))];
}

function asSchema(value: unknown): JsonSchema {
  return isRecord(value) ? value : {};
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

describe('what is generated is fresh (npm run generate)', () => {
  test('redis-sync.schema.json', async () =>
    expect(await readFile(join(ROOT, 'redis-sync.schema.json'), 'utf8')).toBe(renderSchema(published)));

  test('spec.generated.ts', async () =>
    expect(await readFile(join(ROOT, 'runner/spec/spec.generated.ts'), 'utf8')).toBe(
      await renderTypes(published),
    ));
});

test('every key has a description for editors, except a fault’s own settings', () => {
  const keys = keysOf(published).filter(([path]) => !/\.with[.(]/.test(path));
  expect(keys.length).toBeGreaterThan(80);
  const silent = keys.filter(([, schema]) => schema.description === undefined && schema.$ref === undefined);
  expect(silent.map(([path]) => path)).toEqual([]);
});

test('it is draft-07 without keywords of our own', () => {
  expect(published['$schema']).toBe('http://json-schema.org/draft-07/schema#');
  const text = JSON.stringify(published);
  for (const keyword of OWN_KEYWORDS) expect(text).not.toContain(`"${keyword}":`);
  // Strict ajv throws on any keyword that draft-07 does not know.
  new Ajv({ strict: true, strictTypes: false, strictRequired: false }).compile(published);
});

test('properties of people’s own naming survive the stripping', () => {
  const registries = {
    ...REGISTRIES,
    faults: [
      {
        name: 'f',
        summary: 's',
        requires: [],
        aims: 'any' as const,
        schema: { properties: { rule: { type: 'string' } } },
      },
    ],
  };
  expect(JSON.stringify(publishedSchema(registries))).toContain('"properties":{"rule":{"type":"string"}}');
  expect(JSON.stringify(specSchema(registries))).toContain('plannedKeys');
});

describe('editors and the loader agree', () => {
  const validate = new Ajv({ strictTypes: false, strictRequired: false }).compile(published);
  const accepts = (text: string): boolean => validate(parseDocument(text).toJS());

  test('on every shipped spec, and on the plan of each', async () => {
    const files = (await readdir(join(ROOT, 'specs'))).filter((name) => name.endsWith('.yaml'));
    expect(files).toContain('one-way.yaml');
    for (const name of files) {
      const path = join(ROOT, 'specs', name);
      const text = await readFile(path, 'utf8');
      expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=../redis-sync.schema.json');
      const outcome = await loadSpec(path);
      const printed = outcome.kind === 'ok' ? describePlan(outcome.plan) : '';
      expect([name, outcome.kind, accepts(text), accepts(printed)]).toEqual([name, 'ok', true, true]);
    }
  });

  test.each([
    'seed: x',
    'engine: { heartbeat: on }',
    'expect: [{ check: counts, finding: OOM, count: 0 }]',
    'incremental: 5',
    'data: [{ keys: -1 }]',
    'timeline: [{ fault: nothing, at: 1s }]',
    'sed: 1',
  ])('on refusing %s', (line) => {
    expect(accepts(HEAD)).toBe(true);
    expect(accepts(`${HEAD}${line}\n`)).toBe(false);
  });
});
