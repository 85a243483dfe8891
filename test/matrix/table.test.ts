import { describe, expect, it } from 'vitest';
import type { PairResult } from './pair-run.ts';
import { renderMatrix } from './table.ts';

const PAIR: PairResult = {
  source: 'redis 8.0.6',
  target: 'redis 7.0.15',
  verdict: 'pass with losses',
  keys: 10,
  rebuilt: 2,
  fullSyncKeys: 9,
  streamCommands: 77,
  losses: [
    '3 hash field(s) have an expiry, for example "a", "b". They stay.',
    '1 hash field(s) have an expiry, for example "c". They stay.',
  ],
  problems: [],
  durationMs: 1,
};

describe('the page of the matrix', () => {
  const failed: PairResult = { ...PAIR, verdict: 'fail', losses: [], problems: ['VALUE_MISMATCH "k"'] };
  const page = renderMatrix([PAIR, failed], [{ what: 'sid', why: 'no apt' }], '2 pairs.');

  it('has a row per pair, with what was lost by number, each kind once', () => {
    expect(page).toContain('| redis 8.0.6 | redis 7.0.15 | pass with losses | 10 | 7 + 2 | 77 | 1 |');
    expect(page.match(/^\d+\. /gm)).toEqual(['1. ']);
    expect(page).toContain('1. hash field(s) have an expiry. They stay.');
  });

  it('says what was not run, and why a pair failed', () => {
    expect(page).toContain('Not run: sid (no apt).');
    expect(page).toContain('**redis 8.0.6 → redis 7.0.15**\n\n* VALUE_MISMATCH "k"');
  });
});
