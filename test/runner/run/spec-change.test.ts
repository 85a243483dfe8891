import { expect, test } from 'vitest';
import { compareSpecs } from '../../../runner/run/spec-change.ts';
import { planOf } from '../spec/problems.ts';

const BEFORE = {
  a: { url: 'redis://a', username: 'u' },
  b: { urls: ['redis://b', 'redis://c'] },
  unused: { url: 'redis://x' },
};

function plan(instances: object = {}, more: object = {}): ReturnType<typeof planOf> {
  return planOf(
    JSON.stringify({
      name: 'x',
      instances: { ...BEFORE, ...instances },
      topology: { kind: 'one-way', source: 'a', target: 'b' },
      ...more,
    }),
  );
}

test('the same is no change', () => {
  expect(compareSpecs(plan(), plan())).toEqual({ moved: [], needsRestart: [] });
});

test('what only a rehearsal looks at is no change', () => {
  const other = plan({ unused: {} }, { data: [], expect: [{ check: 'counts' }], incremental: '1m' });
  expect(compareSpecs(plan(), other)).toEqual({ moved: [], needsRestart: [] });
});

test('addresses and logins are taken up', () => {
  const after = plan({
    a: { sentinel: { name: 'm', nodes: ['redis://s'] } },
    b: { urls: ['redis://c'], username: 'v' },
  });
  const { moved, needsRestart } = compareSpecs(plan(), after);
  expect(needsRestart).toEqual([]);
  expect(moved).toMatchObject([
    { name: 'a', sentinel: { name: 'm', nodes: ['redis://s:26379'] } },
    { name: 'b', urls: ['redis://c:6379'], username: 'v' },
  ]);
  expect(moved[0]).not.toHaveProperty('url');
  expect(moved[0]).not.toHaveProperty('username');
});

test('anything else is named', () => {
  const after = plan(
    { a: { url: 'redis://other', username: 'u', capabilities: { tde: true } } },
    { engine: { retry: '1m', memory: '1mb' } },
  );
  const { moved, needsRestart } = compareSpecs(plan(), after);
  expect(needsRestart).toEqual(['instances.a.capabilities', 'engine (logMemoryBytes)', 'engine (retryMs)']);
  // The new address counts, and the rest is still what it runs with.
  expect(moved).toMatchObject([{ url: 'redis://other:6379', capabilities: {} }]);
});

test('links cannot change while they run', () => {
  const other = plan({}, { topology: { kind: 'one-way', source: 'b', target: 'a' } });
  expect(compareSpecs(plan(), other).needsRestart).toContain('links');
});
