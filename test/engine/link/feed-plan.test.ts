/** Links begin together where one PSYNC can serve them, and nobody makes a full sync of it for the others. */
import { describe, expect, it } from 'vitest';
import type { Checkpoint } from '../../../engine/apply/checkpoint.ts';
import { planFeeds } from '../../../engine/link/feed-plan.ts';

function at(replid: string, offset: bigint): Checkpoint {
  return { replid, offset, database: 0, path: '', alone: true };
}

function plan(checkpoints: (Checkpoint | null)[], firstOffset?: bigint): unknown {
  const ready = checkpoints.map((checkpoint, link) => ({ link, checkpoint }));
  const plans = planFeeds(ready, firstOffset === undefined ? undefined : { firstOffset });
  return plans.map(({ position, links }) => [position && `${position.replid}:${position.offset}`, ...links]);
}

describe('planFeeds', () => {
  it('begins where the one that is furthest behind is', () => {
    expect(plan([at('a', 7n)])).toEqual([['a:7', 0]]);
    expect(plan([at('a', 9n), at('a', 7n), at('a', 8n)])).toEqual([['a:7', 0, 1, 2]]);
  });

  it('lets those that have nothing share one full sync, apart from those that can continue', () => {
    expect(plan([])).toEqual([]);
    expect(plan([null, null, null])).toEqual([[null, 0, 1, 2]]);
    expect(plan([at('a', 7n), null, at('a', 8n), null])).toEqual([
      ['a:7', 0, 2],
      [null, 1, 3],
    ]);
  });

  it('takes histories apart', () => {
    expect(plan([at('a', 9n), at('b', 7n)])).toEqual([
      ['a:9', 0],
      ['b:7', 1],
    ]);
  });

  it('takes one that the backlog has outrun apart; the byte behind its place must be there', () => {
    expect(plan([at('a', 99n), at('a', 98n), at('a', 200n)], 100n)).toEqual([
      ['a:99', 0, 2],
      ['a:98', 1],
    ]);
  });
});
