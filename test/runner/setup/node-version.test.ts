import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isNodeSupported, NODE_WANTED } from '../../../runner/setup/node-version.mjs';

test.each([
  ['20.19.0', true],
  ['20.20.2', true],
  ['24.0.0', true],
  ['20.18.3', false],
  ['18.20.0', false],
])('node %s is supported: %s', (version, supported) => {
  expect(isNodeSupported(version)).toBe(supported);
});

test('package.json says the same', () => {
  const manifest: { engines: { node: string } } = JSON.parse(readFileSync('package.json', 'utf8'));
  expect(manifest.engines.node).toBe(`>=${NODE_WANTED}`);
});
