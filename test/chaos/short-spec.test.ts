/** A shortened spec is the same spec with less of everything, and valid. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseSpec } from '../../runner/spec/load.ts';
import { shortenSpec } from './short-spec.ts';

test('data and rates keep their shares; the rest stays', () => {
  const text = [
    'name: x # as it was',
    'topology: { kind: one-way }',
    'data: [{ keys: 9000 }, { keys: 1000, corners: true }, { keys: 10 }]',
    'workload: [{ rate: 900/s }, { rate: 300/s, clients: 2 }]',
    'incremental: 1m',
  ].join('\n');
  expect(parse(shortenSpec(text))).toEqual({
    name: 'x',
    topology: { kind: 'one-way' },
    data: [{ keys: 2697 }, { keys: 300, corners: true }, { keys: 100 }],
    workload: [{ rate: '450/s' }, { rate: '150/s', clients: 2 }],
    incremental: '8s',
    report: { formats: ['json'] },
  });
});

test('what is small already, or not there, is left alone', () => {
  expect(parse(shortenSpec('data: [{ keys: 50 }]\nworkload: [{ rate: 10 }]'))).toMatchObject({
    data: [{ keys: 50 }],
    workload: [{ rate: 10 }],
  });
  expect(parse(shortenSpec('name: y'))).toEqual({
    name: 'y',
    incremental: '8s',
    report: { formats: ['json'] },
  });
  expect(() => shortenSpec('a: [')).toThrow(/flow/i);
});

test.each(readdirSync('specs'))('%s stays valid', (name) => {
  const text = shortenSpec(readFileSync(join('specs', name), 'utf8'));
  expect(parseSpec(name, text)).toMatchObject({ kind: 'ok' });
});
