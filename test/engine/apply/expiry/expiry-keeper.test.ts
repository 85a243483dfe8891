/** Which deadlines are written later, and what is remembered of them beyond what memory holds. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ExpiryKeeper } from '../../../../engine/apply/expiry/expiry-keeper.ts';
import { SourceTimeline } from '../../../../engine/apply/expiry/source-timeline.ts';
import type { Deferred } from '../../../../engine/apply/expiry/deferred-table.ts';

const GRACE_MS = 3_600_000;
const NOW_MS = 1_800_000_000_000;
const MEMORY = 1000;
let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'redis-sync-keeper-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function openKeeper(timeline = new SourceTimeline(() => 0)): ExpiryKeeper {
  const keeper = new ExpiryKeeper({
    limits: { graceMs: GRACE_MS, guardMs: 10_000, rememberedMax: MEMORY },
    spoolPath: join(folder, 'deferred'),
    diskBytesMax: 1e9,
    timeline,
    wallClock: () => NOW_MS,
    sourceOffsetMs: () => 0,
    targetOffsetMs: () => 0,
    isImporting: () => false,
    onFinding: () => undefined,
  });
  return keeper;
}

function defer(keeper: ExpiryKeeper, key: string, deadlineMs: number, offset: number): number {
  return keeper.deadline(0, Buffer.from(key), undefined, deadlineMs, offset);
}

async function takeAll(keeper: ExpiryKeeper): Promise<Deferred[]> {
  const all: Deferred[] = [];
  for (;;) {
    keeper.tick(2n ** 40n);
    const some = await keeper.take(2000);
    if (some.length === 0) return all;
    keeper.givenBack(some);
    all.push(...some);
  }
}

test('of a key renewed beyond memory the newest deadline comes back from disk', async () => {
  const keeper = openKeeper();
  for (let index = 0; index < MEMORY; index++) defer(keeper, `k${index}`, NOW_MS + 1000, index);
  // No room any more: each goes to disk, the second behind the first.
  defer(keeper, 'renewed', NOW_MS + 2000, MEMORY + 1);
  defer(keeper, 'renewed', NOW_MS + 3000, MEMORY + 2);
  expect(keeper.count).toBe(MEMORY + 2);
  keeper.settle();
  const back = await takeAll(keeper);
  expect(keeper.count).toBe(0);
  expect(back.filter(({ key }) => key.toString() === 'renewed')).toMatchObject([
    { deadlineMs: NOW_MS + 3000 },
  ]);
  await keeper.close();
  expect(await readdir(folder)).toEqual([]);
});

test('settled, nothing is deferred; a new snapshot begins it all anew', async () => {
  const keeper = openKeeper();
  expect(defer(keeper, 'k', NOW_MS + 1000, 1)).toBe(NOW_MS + 1000 + GRACE_MS);
  keeper.settle();
  expect(defer(keeper, 'k2', NOW_MS + 1000, 2)).toBe(NOW_MS + 1000);
  expect(keeper.count).toBe(1);
  await keeper.beginSnapshot();
  expect(keeper.count).toBe(0);
  expect(defer(keeper, 'k', NOW_MS + 1000, 0)).toBe(NOW_MS + 1000 + GRACE_MS);
});

test('a deadline hours ago is put far enough ahead, by whole graces', () => {
  const keeper = openKeeper();
  const set = NOW_MS - 2.6 * GRACE_MS;
  expect((defer(keeper, 'k', set, 1) - set) / GRACE_MS).toBe(4);
});

test('behind, all of the grace is near; beyond it a deadline stays as it is', () => {
  const keeper = openKeeper();
  expect(defer(keeper, 'near', NOW_MS + GRACE_MS - 1, 1)).toBe(NOW_MS + 2 * GRACE_MS - 1);
  expect(defer(keeper, 'far', NOW_MS + GRACE_MS, 1)).toBe(NOW_MS + GRACE_MS);
});

test('what nobody may give back is said once, not waited for, and marked for the next start', async () => {
  const keeper = openKeeper();
  defer(keeper, 'k', NOW_MS + 1000, 1);
  await keeper.leaveLate('NOPERM');
  expect(keeper.count).toBe(0);
  expect(keeper.mark).toBe(GRACE_MS);
});

test('a deadline set after the source’s clock was set back is not over by a time from before', async () => {
  const timeline = new SourceTimeline(() => 0);
  const keeper = openKeeper(timeline);
  timeline.observe(100n, NOW_MS);
  defer(keeper, 'before', NOW_MS - 1000, 90);
  defer(keeper, 'after', NOW_MS - 26_000, 110);
  expect((await takeAll(keeper)).map(({ key }) => key.toString())).toEqual(['before']);
  timeline.observe(120n, NOW_MS - 29_000);
  expect(await takeAll(keeper)).toEqual([]);
  timeline.observe(130n, NOW_MS - 25_000);
  expect((await takeAll(keeper)).map(({ key }) => key.toString())).toEqual(['after']);
  await keeper.close();
});
