/** Lines `finding: CODE, count: …`: the finding occurred as often as the spec says. */
import { isFindingCode } from '../../reports/findings.ts';
import { DIFFERENCE_CLASSES, type CheckResult, type LinkResult } from '../../reports/results.ts';
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
  const deaf = count === 0 ? findDeaf(context, line) : undefined;
  if (deaf !== undefined) {
    const why = `Whoever replicated link ${deaf.link} does not tell whether ${line.finding} occurred`;
    return result(name, 'unknown', `${why}; expected ${describeBound(line.count)}.`);
  }
  const summary = `${line.finding} occurred ${count}×${where}; expected ${describeBound(line.count)}.`;
  return result(name, holds(line.count, count) ? 'pass' : 'fail', summary, { count });
}

/** What the comparison, the counts and the harness itself find, whoever replicates. */
const SEEN_BY_US: readonly string[] = [...DIFFERENCE_CLASSES, 'COUNT_MISMATCH', 'EXPIRED_GAP', 'HEAL_FAILED'];

/** A link of which nobody could have heard it: then not having heard it says nothing. */
function findDeaf({ links }: CheckContext, line: FindingExpectation): LinkResult | undefined {
  if (SEEN_BY_US.includes(line.finding)) return undefined;
  const figure = line.finding === 'FULL_RESYNC' ? 'resyncs' : 'errors';
  return links.find(
    ({ link, unmeasured }) =>
      (line.link === undefined || line.link === link) && unmeasured?.includes(figure) === true,
  );
}
