import { describe, expect, test } from 'vitest';
import type { CheckDefinition } from '../../../scenarios/checks/check.ts';
import { judge, mergeVerdicts } from '../../../scenarios/checks/judge.ts';
import { COMPARISON, SYNCED, differing, difference, goodContext, historyOf } from './good-context.ts';

const verdicts = (...list: ('pass' | 'fail' | 'unknown' | 'skipped')[]) =>
  mergeVerdicts(list.map((verdict) => ({ verdict })));

describe('mergeVerdicts', () => {
  test('fail beats unknown beats pass; skipped does not count', () => {
    expect(verdicts('pass', 'unknown', 'fail')).toBe('fail');
    expect(verdicts('pass', 'unknown')).toBe('unknown');
    expect(verdicts('pass', 'skipped')).toBe('pass');
  });

  test('nothing judged is unknown', () => {
    expect(verdicts()).toBe('unknown');
    expect(verdicts('skipped')).toBe('unknown');
  });
});

describe('judge', () => {
  test('a good run passes with 0', () => {
    const judgement = judge(goodContext());
    expect(judgement).toMatchObject({ verdict: 'pass', exitCode: 0 });
    expect(judgement.summary).toBe(
      'All 1,000 keys are equal on source and target after copying 1,000 keys and streaming 500 commands.',
    );
  });

  test('a difference fails with 1 and is the summary', () => {
    const judgement = judge(goodContext({ comparison: differing(difference()) }));
    expect(judgement).toMatchObject({ verdict: 'fail', exitCode: 1 });
    expect(judgement.summary).toBe('Source and target differ: 1 key with another value.');
  });

  test('a failure outweighs what could not be told', () => {
    const judgement = judge(goodContext({ comparison: differing(difference()), events: historyOf() }));
    expect(judgement).toMatchObject({ verdict: 'fail', exitCode: 1 });
  });

  test('what is missing behind a link that was cut off is unknown; behind one that had everything it fails', () => {
    const comparison = differing(difference());
    const error = { code: 'INTERNAL', message: 'The replicator died.' };
    const cutOff = judge(goodContext({ comparison, error, events: historyOf() }));
    expect(cutOff.checks.find(({ check }) => check === 'data-equal')).toMatchObject({
      verdict: 'unknown',
      summary: expect.stringContaining('was cut off before everything had arrived'),
    });
    expect(cutOff).toMatchObject({ verdict: 'unknown', exitCode: 5 });
    expect(judge(goodContext({ comparison, error })).verdict).toBe('fail');
    const refused = { code: 'POLICY', message: 'The link stopped.' };
    expect(judge(goodContext({ comparison, error: refused, events: historyOf() })).verdict).toBe('fail');
  });

  test('what could not be told is unknown, with 4', () => {
    const judgement = judge(goodContext({ comparison: { ...COMPARISON, unverified: { timeout: 2 } } }));
    expect(judgement).toMatchObject({ verdict: 'unknown', exitCode: 4 });
    expect(judgement.summary).toBe(
      'Could not tell: no difference found, but 2 keys could not be compared (2 timeout).',
    );
  });

  test.each([
    ['CONNECT', 'unknown', 3],
    ['TIMEOUT', 'unknown', 4],
    ['INTERNAL', 'unknown', 5],
    ['NO_SUCH_CODE', 'unknown', 5],
    ['POLICY', 'fail', 1],
  ] as const)('a run ended by %s is %s with %i', (code, verdict, exitCode) => {
    const error = { code, message: 'It broke.', where: '127.0.0.1:1' };
    const judgement = judge(goodContext({ error, comparison: null, links: [], events: [] }));
    expect(judgement).toMatchObject({ verdict, exitCode });
    expect(judgement.summary).toMatch(
      /^(Could not tell: t|T)he run ended early\. 127\.0\.0\.1:1: It broke\.$/,
    );
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])('an interrupted run ends with the code of %s', (signal, exitCode) => {
    const events = historyOf(...SYNCED, { kind: 'interrupted', signal });
    expect(judge(goodContext({ events }))).toMatchObject({ verdict: 'unknown', exitCode });
  });

  test('a check that throws is unknown, not the end of the judging', () => {
    const broken: CheckDefinition = {
      name: 'broken',
      summary: 'Throws.',
      judge: () => {
        throw new Error('oops');
      },
    };
    const judgement = judge(goodContext(), [broken]);
    expect(judgement.verdict).toBe('unknown');
    expect(judgement.checks[0]?.summary).toContain('oops');
  });
});
