/** docs/policies.md: fresh, and every policy of the engine is in it, in the schema, and acted upon. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DEFAULT_ENGINE_OPTIONS } from '../../../engine/link/options.ts';
import { policiesForm } from '../../../runner/plan/policies.ts';
import { POLICIES } from '../../../runner/spec/schema/policies.ts';
import { describePolicies } from '../../../runner/spec/schema/policies-document.ts';

test('docs/policies.md is what `npm run generate` writes', () => {
  const file = new URL('../../../docs/policies.md', import.meta.url);
  expect(readFileSync(file, 'utf8')).toBe(describePolicies());
});

test('what a spec may write and what the plan has are the same policies, with the same defaults', () => {
  const form: Record<string, unknown> = { ...policiesForm(DEFAULT_ENGINE_OPTIONS) };
  expect(Object.keys(form).toSorted()).toEqual(Object.keys(POLICIES).toSorted());
  for (const [name, policy] of Object.entries(POLICIES)) {
    expect(policy.default).toBe(form[name]);
    expect(Object.keys(policy.values)).toContain(policy.default);
    expect(policy.vendor).not.toBe('');
    expect(policy.shows).not.toBe('');
  }
});

test('no policy is accepted and not acted upon: the engine reads each of them', () => {
  const folder = new URL('../../../engine/', import.meta.url);
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('options.ts'))
    .map((name) => readFileSync(new URL(name, folder), 'utf8').replaceAll(/'[^'\n]*'/g, ''))
    .join('\n');
  const unread = Object.keys(POLICIES).filter(
    (name) => !new RegExp(`engine\\.${name}\\b|\\b${name}\\b[^}]*\\} = [\\w.#]*engine\\b`).test(sources),
  );
  expect(unread).toEqual([]);
});
