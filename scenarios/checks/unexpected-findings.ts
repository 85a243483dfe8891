/** No finding of severity error that nobody expected. Differences have their own checks. */
import { DIFFERENCE_CLASSES } from '../../reports/results.ts';
import { result, type CheckContext, type CheckDefinition } from './check.ts';

const NAME = 'unexpected-findings';
const JUDGED_ELSEWHERE: readonly string[] = [...DIFFERENCE_CLASSES, 'COUNT_MISMATCH', 'HEARTBEAT_LEAK'];

export const unexpectedFindings: CheckDefinition = {
  name: NAME,
  summary: 'No finding of severity error, unless `expect:` names it.',
  judge: (context) => [judgeFindings(context)],
};

function judgeFindings({ findings, expect }: CheckContext) {
  const expected = expect.flatMap((line) => ('finding' in line ? [line.finding] : []));
  const bad = findings.filter(
    (finding) =>
      finding.severity === 'error' &&
      !expected.includes(finding.code) &&
      !JUDGED_ELSEWHERE.includes(finding.code),
  );
  const [first] = bad;
  if (first === undefined) return result(NAME, 'pass', 'None.', { findings: 0 });
  const others = bad.length > 1 ? ` (and ${bad.length - 1} more)` : '';
  return result(NAME, 'fail', `${first.code}: ${first.message}${others}`, { findings: bad.length });
}
