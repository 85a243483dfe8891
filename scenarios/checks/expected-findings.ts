/** Lines `finding: CODE, count: …`: the finding occurred as often as the spec says. */
import { isFindingCode } from '../../reports/findings.ts';
import type { CheckResult } from '../../reports/results.ts';
import { result, sum, type CheckContext, type CheckDefinition } from './check.ts';
import { describeBound, holds, type Expectation } from './expectation.ts';

type FindingExpectation = Extract<Expectation, { finding: string }>;

export const expectedFindings: CheckDefinition = {
  name: 'expected-findings',
  summary: 'Each finding named in `expect:` occurred as often as it says.',
  judge: (context) =>
    context.expect
      .filter((line): line is FindingExpectation => 'finding' in line)
      .map((line) => judgeFinding(context, line)),
};

function judgeFinding(context: CheckContext, line: FindingExpectation): CheckResult {
  const name = `finding:${line.finding}`;
  if (!isFindingCode(line.finding))
    return result(name, 'unknown', `There is no finding called ${line.finding}.`);
  const matching = context.findings.filter(
    (finding) =>
      finding.code === line.finding && (line.link === undefined || finding.subject.link === line.link),
  );
  const count = sum(matching.map((finding) => finding.count ?? 1));
  const where = line.link === undefined ? '' : ` on link ${line.link}`;
  const summary = `${line.finding} occurred ${count}×${where}; expected ${describeBound(line.count)}.`;
  return result(name, holds(line.count, count) ? 'pass' : 'fail', summary, { count });
}
