/** A shard of a source keeps its number when the links start again, wherever its slots are by then. */
import { expect, test } from 'vitest';
import type { ClusterShard } from '../../../engine/connect/discovery.ts';
import { numberShards } from '../../../runner/run/source-shard.ts';

const shard = (...members: string[]): ClusterShard => ({ kind: 'cluster-shard', seeds: [], members });

test('in the order they are told at first', () => {
  expect(numberShards([shard('a'), shard('b')], []).map(({ number }) => number)).toEqual([0, 1]);
});

test('the same again, also when another one comes first by its slots, has failed over, or is new', () => {
  const before = numberShards([shard('a', 'replica'), shard('b')], []);
  const now = numberShards([shard('b'), shard('new'), shard('replica')], before);
  expect(now.map(({ number, whereabouts }) => [number, whereabouts.members[0]])).toEqual([
    [1, 'b'],
    [2, 'new'],
    [0, 'replica'],
  ]);
});

test('that of its primary, when a node of a shard that was given up is its replica now', () => {
  const before = numberShards([shard('given-up'), shard('b')], []);
  expect(numberShards([shard('b', 'given-up')], before).map(({ number }) => number)).toEqual([1]);
});
