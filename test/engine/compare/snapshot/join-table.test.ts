/** The table against the obvious model: two maps, compared at the end. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { hashKey } from '../../../../engine/compare/key-set.ts';
import {
  JoinTable,
  type KeyOutcome,
  type KeyRecord,
  type Side,
} from '../../../../engine/compare/snapshot/join-table.ts';

interface Entry {
  side: Side;
  key: string;
  digest: number;
  type: number;
  expireAtMs: number;
}

const TOLERANCE_MS = 100;

function record(entry: Entry): KeyRecord {
  const hash = new Int32Array(4);
  const bytes = Buffer.from(entry.key);
  hashKey(hash, 3, bytes, 0, bytes.length);
  return {
    hash,
    digest: Int32Array.of(entry.digest, 0, 0, entry.type),
    unread: entry.digest === 0,
    expireAtMs: entry.expireAtMs,
    database: 3,
    type: entry.type,
    node: 0,
  };
}

function model(entries: readonly Entry[]): Map<string, KeyOutcome> {
  const of = (side: Side): Map<string, Entry> =>
    new Map(entries.filter((entry) => entry.side === side).map((entry) => [entry.key, entry]));
  const [source, target] = [of('source'), of('target')];
  const outcomes = new Map<string, KeyOutcome>();
  for (const key of new Set([...source.keys(), ...target.keys()])) {
    outcomes.set(key, outcome(source.get(key), target.get(key)));
  }
  return outcomes;
}

function outcome(source: Entry | undefined, target: Entry | undefined): KeyOutcome {
  if (source === undefined || target === undefined) return source === undefined ? 'target' : 'source';
  if (source.digest === 0 || target.digest === 0) return 'unread';
  if (source.type !== target.type) return 'type';
  if (source.digest !== target.digest) return 'value';
  const [a, b] = [source.expireAtMs, target.expireAtMs];
  if (a < 0 || b < 0) return a === b ? 'none' : 'expiry';
  return Math.abs(a - b) <= TOLERANCE_MS ? 'none' : 'expiry';
}

const entries = fc.uniqueArray(
  fc.record<Entry>({
    side: fc.constantFrom('source', 'target'),
    key: fc.nat(400).map((number) => `key:${number}`),
    digest: fc.nat(3),
    // string, set, and the set's other encoding is left to the live tests
    type: fc.constantFrom(0, 2),
    expireAtMs: fc.constantFrom(-1, 0, 1_700_000_000_000, 1_700_000_000_100, 1_700_000_000_101),
  }),
  { selector: ({ side, key }) => `${side} ${key}`, maxLength: 600, size: 'max' },
);

test('every key ends as what the model says, in any order of arrival', () => {
  fc.assert(
    fc.property(entries, (offered) => {
      const equal: number[] = [];
      const table = new JoinTable(10, TOLERANCE_MS, {
        equal: (database, type) => equal.push(database, type),
        repeated: () => expect.unreachable(),
      });
      for (const entry of offered) table.offer(entry.side, record(entry));
      table.finish();
      const wanted = model(offered);
      for (const [key, expected] of wanted) {
        const { hash } = record({ side: 'source', key, digest: 1, type: 0, expireAtMs: -1 });
        expect(table.takeOutcome(hash)).toBe(expected);
        expect(table.takeOutcome(hash)).toBe('none');
      }
      const both = [...wanted].filter(([, state]) => state === 'none').length;
      expect(equal.length).toBe(2 * both);
      expect(equal.filter((_, index) => index % 2 === 0).every((database) => database === 3)).toBe(true);
    }),
    { numRuns: 40 },
  );
});

function numbered(side: Side, index: number): Entry {
  const expireAtMs = index % 3 === 0 ? 4_000_000_000_000 + index : -1;
  return { side, key: `k${index}`, digest: index | 1, type: 0, expireAtMs };
}

test('grows beyond what was announced, and forgets nobody', () => {
  const counts = { equal: 0 };
  const table = new JoinTable(1, 0, { equal: () => counts.equal++, repeated: () => expect.unreachable() });
  for (let index = 0; index < 50_000; index++) table.offer('source', record(numbered('source', index)));
  for (let index = 49_999; index >= 100; index--) table.offer('target', record(numbered('target', index)));
  table.finish();
  expect(counts.equal).toBe(49_900);
  expect(table.outcomes).toEqual({ source: 100, target: 0, type: 0, value: 0, expiry: 0, unread: 0 });
});

test('a key that a side has twice while it waits is told', () => {
  const repeated: Side[] = [];
  const table = new JoinTable(10, 0, { equal: () => undefined, repeated: (side) => repeated.push(side) });
  const entry: Entry = { side: 'source', key: 'k', digest: 1, type: 0, expireAtMs: -1 };
  table.offer('source', record(entry));
  table.offer('source', record(entry));
  table.finish();
  expect(repeated).toEqual(['source']);
});
