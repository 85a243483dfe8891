import { describe, expect, test } from 'vitest';
import { findRegression, type RegressionQuestion } from '../../../engine/link/regression.ts';
import { countKeys } from '../../../engine/link/source-facts.ts';

const OURS = 'a'.repeat(40);
const OTHER = 'b'.repeat(40);

/** A source with another history and as much data as the target. */
function question(
  source: Partial<RegressionQuestion['source']> = {},
  more: Partial<Omit<RegressionQuestion, 'source'>> = {},
): RegressionQuestion {
  return {
    before: { replid: OURS, offset: 1000n },
    lastWrite: 1000n,
    ownKeys: 1,
    targetKeys: 500,
    source: { runId: 'r', replid: OTHER, replid2: '', secondOffset: -1n, offset: 0n, keys: 500, ...source },
    ...more,
  };
}

describe('history', () => {
  test.each<[string, RegressionQuestion, unknown]>([
    ['another history says nothing, even with a lower offset', question({ offset: 10n }), null],
    [
      'the same history, further on (its backlog was outrun)',
      question({ replid: OURS, offset: 5000n }),
      null,
    ],
    ['the same history, exactly there', question({ replid: OURS, offset: 1000n }), null],
    [
      'the same history, gone backwards (a restored machine)',
      question({ replid: OURS, offset: 999n }),
      { kind: 'history', endsAt: 999n, lostBytes: 1n },
    ],
    [
      'it continues ours from before our last write (promoted while behind, or an old file loaded)',
      question({ replid2: OURS, secondOffset: 901n, offset: 9999n }),
      { kind: 'history', endsAt: 900n, lostBytes: 100n },
    ],
    ['it continues ours from where we are', question({ replid2: OURS, secondOffset: 1001n }), null],
    [
      'it lacks only pings and heartbeats',
      question({ replid2: OURS, secondOffset: 901n }, { lastWrite: 900n }),
      null,
    ],
    ['it continues a third history', question({ replid2: 'c'.repeat(40), secondOffset: 1n }), null],
  ])('%s', (_name, asked, wanted) => {
    expect(findRegression(asked)).toEqual(wanted);
  });
});

function lost(sourceKeys: number, targetKeys: number | null, isEmpty = false): unknown {
  return { kind: 'keys', isEmpty, sourceKeys, targetKeys };
}

describe('keys', () => {
  test.each<[string, number, number | null, unknown]>([
    ['none, where the target has some', 0, 3, lost(0, 3, true)],
    ['only our own heartbeat', 1, 3, lost(1, 3, true)],
    ['none on both sides', 0, 0, null],
    ['none, and nobody knows what the target has', 0, null, lost(0, null, true)],
    ['some, and nobody knows what the target has', 5, null, null],
    ['less than a tenth of many', 40, 500, lost(40, 500)],
    ['a tenth of many', 51, 500, null],
    ['less than a tenth of few', 3, 99, null],
    ['more than the target', 900, 500, null],
  ])('%s', (_name, keys, targetKeys, wanted) => {
    expect(findRegression(question({ keys }, { targetKeys }))).toEqual(wanted);
  });
});

test('the keys of all databases are counted', () => {
  expect(countKeys({ db0: 'keys=12,expires=3,avg_ttl=0', db11: 'keys=1,expires=0,avg_ttl=0' })).toBe(13);
  expect(countKeys({ db0: 'keys=7,expires=0,avg_ttl=0,subexpiry=0', other: 'keys=5' })).toBe(7);
  expect(countKeys({})).toBe(0);
});
