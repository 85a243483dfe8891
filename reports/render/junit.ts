/**
 * JUnit XML for CI servers: one test case per check, precheck and timeline step. A check that could not tell is an
 * `<error>`, so that no CI server shows an inconclusive run as green.
 */
import type { CheckResult, FaultResult, PrecheckRow } from '../results.ts';
import type { ReportView } from './document.ts';
import { escapeMarkup } from './markup.ts';

/** A line break in an attribute would be read back as a blank. */
function escape(text: string): string {
  return escapeMarkup(text).replaceAll('\n', '&#10;');
}

interface TestCase {
  name: string;
  outcome: 'passed' | 'failure' | 'error' | 'skipped';
  message: string;
}

export function renderJunit(view: ReportView): string {
  const { run, checks, precheck, error, summary, verdict } = view.results;
  const verdictCase: TestCase = { name: 'verdict', outcome: CHECK_OUTCOMES[verdict], message: summary };
  const suites: [string, TestCase[]][] = [
    [
      'run',
      error === null
        ? [verdictCase]
        : [verdictCase, { name: error.code, outcome: 'error', message: error.message }],
    ],
    ['precheck', precheck.map(precheckCase)],
    ['timeline', view.faults.map(faultCase)],
    ['checks', checks.map(checkCase)],
  ];
  const filled = suites.filter(([, cases]) => cases.length > 0);
  const totals = tally(filled.flatMap(([, cases]) => cases));
  const seconds = (run.durationMs / 1000).toFixed(3);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="${escape(run.name)}" ${totals} time="${seconds}">`,
    ...filled.flatMap(([name, cases]) => renderSuite(name, cases, run.name, run.startedAt)),
    '</testsuites>',
    '',
  ].join('\n');
}

function renderSuite(name: string, cases: TestCase[], run: string, startedAt: string): string[] {
  return [
    `  <testsuite name="${escape(name)}" ${tally(cases)} timestamp="${escape(startedAt)}">`,
    ...cases.map((test) => {
      const head = `    <testcase classname="${escape(`${run}.${name}`)}" name="${escape(test.name)}"`;
      if (test.outcome === 'passed') return `${head}/>`;
      return `${head}><${test.outcome} message="${escape(test.message)}"/></testcase>`;
    }),
    '  </testsuite>',
  ];
}

function tally(cases: readonly TestCase[]): string {
  const count = (outcome: TestCase['outcome']): number =>
    cases.filter((test) => test.outcome === outcome).length;
  return `tests="${cases.length}" failures="${count('failure')}" errors="${count('error')}" skipped="${count('skipped')}"`;
}

const CHECK_OUTCOMES: Record<CheckResult['verdict'], TestCase['outcome']> = {
  pass: 'passed',
  fail: 'failure',
  unknown: 'error',
  skipped: 'skipped',
};

function checkCase({ check, verdict, summary }: CheckResult): TestCase {
  return { name: check, outcome: CHECK_OUTCOMES[verdict], message: summary };
}

function precheckCase({ id, subject, verdict, measured, expected }: PrecheckRow): TestCase {
  const outcome = verdict === 'FAIL' ? 'failure' : verdict === 'PASS' ? 'passed' : 'skipped';
  return { name: `${id} (${subject})`, outcome, message: `${verdict}: ${measured}; expected ${expected}` };
}

/** Whether a step that did nothing matters is judged by the check; here it is only told. */
function faultCase({ step, outcome, reason }: FaultResult): TestCase {
  return {
    name: step,
    outcome: outcome === 'effective' ? 'passed' : 'skipped',
    message: `${outcome}: ${reason ?? 'no reason known'}`,
  };
}
