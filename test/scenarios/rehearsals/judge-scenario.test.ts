/** A scenario's verdict: what had to be seen was seen, and nothing else. Each reason can fail it. */
import { describe, expect, test } from 'vitest';
import type { Comparison, Results } from '../../../reports/results.ts';
import { judgeScenario } from '../../../scenarios/rehearsals/judge-scenario.ts';
import { stops, survives, type ScenarioOutcome } from '../../../scenarios/rehearsals/scenario.ts';
import { EQUAL, LINK, PASSED } from '../../reports/sample-runs.ts';

const FLUSHED: ScenarioOutcome = {
  verdict: ['fail'],
  link: 'in-sync',
  findings: ['FLUSH'],
  differences: ['EXTRA_KEY'],
};

test.each<[string, ScenarioOutcome, Partial<Results>, string[]]>([
  ['all as it had to be', survives('FLUSH'), { findings: [finding('FLUSH')] }, []],
  ['a finding that is missing', survives('FLUSH'), {}, ['the finding FLUSH is missing']],
  [
    'another verdict',
    survives(),
    { verdict: 'fail', summary: 'No.' },
    ['the run says fail, expected pass: No.'],
  ],
  ['a link that stopped', survives(), { links: [link('Failed')] }, ['link main stopped (Failed)']],
  ['a link that did not stop', stops(), { verdict: 'fail' }, ['no link stopped, and one had to']],
  ['a link that stopped as it had to', stops(), { verdict: 'fail', links: [link('InitializeFailed')] }, []],
  [
    'the difference it is about',
    FLUSHED,
    { verdict: 'fail', findings: [finding('FLUSH')], comparison: comparison({ EXTRA_KEY: 3 }) },
    [],
  ],
  [
    'no difference where there had to be one',
    FLUSHED,
    { verdict: 'fail', findings: [finding('FLUSH')], comparison: comparison({}) },
    ['no EXTRA_KEY, and there had to be some'],
  ],
  [
    'a difference that nothing explains',
    FLUSHED,
    {
      verdict: 'fail',
      findings: [finding('FLUSH')],
      comparison: comparison({ EXTRA_KEY: 3, MISSING_KEY: 2 }),
    },
    ['2 × MISSING_KEY, which nothing explains'],
  ],
  [
    'data that was not compared',
    FLUSHED,
    { verdict: 'fail', findings: [finding('FLUSH')], comparison: null },
    ['the data was not compared'],
  ],
])('%s', (_, outcome, changes, reasons) => {
  expect(judgeScenario(outcome, results(changes))).toEqual({
    verdict: reasons.length === 0 ? 'pass' : 'fail',
    reasons,
  });
});

describe('nothing was rehearsed', () => {
  test('when a fault had no effect', () => {
    const judged = judgeScenario(survives(), results({ faults: [fault('failed', 'it was not there')] }));
    expect(judged).toEqual({ verdict: 'unknown', reasons: ['step step-1: it was not there'] });
  });

  test('when there was no fault at all', () => {
    expect(judgeScenario(survives(), results({ faults: [] })).verdict).toBe('unknown');
  });
});

function results(changes: Partial<Results>): Results {
  return {
    ...PASSED,
    verdict: 'pass',
    findings: [],
    comparison: comparison({}),
    links: [link('Finished')],
    faults: [fault('effective', null)],
    ...changes,
  };
}

function fault(outcome: 'effective' | 'failed', reason: string | null) {
  const times = { requestedMs: 1, effectiveMs: 2, healedMs: 3 };
  return { step: 'step-1', fault: 'flush', where: 'source', outcome, reason, evidence: {}, ...times };
}

function finding(code: string): Results['findings'][number] {
  return { code, severity: 'error', message: '', subject: {}, evidence: {}, evidenceKind: 'measured' };
}

function link(state: Results['links'][number]['state']): Results['links'][number] {
  return { ...LINK, link: 'main', state };
}

function comparison(totals: Partial<Comparison['totals']>): Comparison {
  const none = { MISSING_KEY: 0, EXTRA_KEY: 0, TYPE_MISMATCH: 0, VALUE_MISMATCH: 0, TTL_MISMATCH: 0 };
  return { ...EQUAL, totals: { ...none, ...totals } };
}
