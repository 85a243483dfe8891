/** docs/policies.md: fresh, and every policy of the engine is in it and in the schema. */
import { readFileSync } from 'node:fs';
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
