/** Was what had to be seen seen? Pure: from the results of a scenario's run to its own verdict, which is not the run's. */
import { DIFFERENCE_CLASSES, type Results, type Verdict } from '../../reports/results.ts';
import type { ScenarioOutcome } from './scenario.ts';

export interface ScenarioJudgement {
  verdict: Verdict;
  /** What was not as it had to be; empty for pass. */
  reasons: string[];
}

/** unknown: the fault did not happen, so nothing was rehearsed. */
export function judgeScenario(outcome: ScenarioOutcome, results: Results): ScenarioJudgement {
  const vain = (results.faults ?? []).filter((fault) => fault.outcome !== 'effective');
  if (vain.length > 0 || (results.faults ?? []).length === 0)
    return {
      verdict: 'unknown',
      reasons: vain.map(({ step, reason }) => `step ${step}: ${reason ?? 'no effect'}`),
    };
  const reasons = [
    ...verdictReasons(outcome, results),
    ...linkReasons(outcome, results),
    ...findingReasons(outcome, results),
    ...differenceReasons(outcome, results),
  ];
  return { verdict: reasons.length === 0 ? 'pass' : 'fail', reasons };
}

function verdictReasons({ verdict }: ScenarioOutcome, results: Results): string[] {
  if (verdict.includes(results.verdict)) return [];
  return [`the run says ${results.verdict}, expected ${verdict.join(' or ')}: ${results.summary}`];
}

function linkReasons({ link }: ScenarioOutcome, { links }: Results): string[] {
  const failed = links.filter(({ state }) => state === 'Failed' || state === 'InitializeFailed');
  if (link === 'failed') return failed.length > 0 ? [] : ['no link stopped, and one had to'];
  return failed.map((each) => `link ${each.link} stopped (${each.state})`);
}

function findingReasons({ findings }: ScenarioOutcome, results: Results): string[] {
  const found = new Set(results.findings.map(({ code }) => code));
  return findings.filter((code) => !found.has(code)).map((code) => `the finding ${code} is missing`);
}

function differenceReasons(
  { differences = [], mayDiffer = [] }: ScenarioOutcome,
  results: Results,
): string[] {
  const totals = results.comparison?.totals;
  if (totals === undefined) return differences.length > 0 ? ['the data was not compared'] : [];
  const missing = differences.filter((name) => totals[name] === 0);
  const surplus = DIFFERENCE_CLASSES.filter(
    (name) => totals[name] > 0 && !differences.includes(name) && !mayDiffer.includes(name),
  );
  return [
    ...missing.map((name) => `no ${name}, and there had to be some`),
    ...surplus.map((name) => `${totals[name]} × ${name}, which nothing explains`),
  ];
}
