/** What is remembered of deferred deadlines: the newest, found by name and by time, and nothing besides. */
import { expect, test } from 'vitest';
import { DeferredTable, type Deferred } from '../../../../engine/apply/expiry/deferred-table.ts';

function deferred(key: string, deadlineMs: number, offset: number, field?: string): Deferred {
  return {
    database: 3,
    key: Buffer.from(key),
    field: field === undefined ? undefined : Buffer.from(field),
    deadlineMs,
    offset,
  };
}

function takeBefore(table: DeferredTable, ms: number, applied = Infinity, most = 100): Deferred[] {
  return table.take(most, applied, (deadlineMs) => deadlineMs < ms);
}

test('a key that is renewed again and again is held once, under its newest deadline', () => {
  const table = new DeferredTable();
  for (let turn = 0; turn < 1000; turn++) table.add(deferred('k', turn * 2000, turn));
  expect(table.size).toBe(1);
  expect(table.bytes).toBeLessThan(300);
  // Under none of its earlier ones there is anything left to look at.
  expect(table.hasDue((deadlineMs) => deadlineMs < 999 * 2000 - 1024)).toBe(false);
  expect(takeBefore(table, Infinity)).toEqual([deferred('k', 1_998_000, 999)]);
  expect(table.size).toBe(0);
  expect(table.bytes).toBe(0);
});

test('key and field, colons and bytes beyond ASCII: each comes out as it went in', () => {
  const table = new DeferredTable();
  const odd = { ...deferred('a:1h:b', 10, 0, 'f:ü'), key: Buffer.from([0, 255, 58, 104, 13, 10]) };
  const all = [odd, deferred('a:1h:b', 20, 0), deferred('a:1h:b', 30, 0, ''), deferred('a', 40, 0, '1h:b')];
  for (const each of all) table.add(each);
  expect(takeBefore(table, Infinity).toSorted((a, b) => a.deadlineMs - b.deadlineMs)).toEqual(all);
});

test('what comes back later is added only when it is newer', () => {
  const table = new DeferredTable();
  table.add(deferred('k', 5000, 50));
  table.addOlder(deferred('k', 1000, 10));
  table.addOlder(deferred('other', 1000, 10));
  table.addOlder(deferred('other', 2000, 20));
  expect(takeBefore(table, Infinity)).toEqual(
    expect.arrayContaining([deferred('k', 5000, 50), deferred('other', 2000, 20)]),
  );
});

test('taken is what is due and applied, no more than asked for', () => {
  const table = new DeferredTable();
  for (let index = 0; index < 10; index++) table.add(deferred(`k${index}`, index * 1000, index));
  expect(takeBefore(table, 8000, 5).map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(takeBefore(table, 8000, 100, 1)).toHaveLength(1);
  expect(table.size).toBe(3);
});
