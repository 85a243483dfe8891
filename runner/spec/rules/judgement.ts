/** Expectations: about links and findings that exist. */
import { FINDINGS } from '../../../reports/findings.ts';
import { didYouMean } from '../suggest.ts';
import { checkLinkId, type RuleContext } from './rule.ts';

export function checkJudgement(context: RuleContext): void {
  for (const [position, item] of (context.spec.expect ?? []).entries()) {
    if (item === undefined || !('finding' in item)) continue;
    checkLinkId(context, item.link, ['expect', position, 'link']);
    checkCode(context, item.finding, position);
  }
}

/** A code that nothing ever reports would be found 0 times, as if all were well. */
function checkCode({ report }: RuleContext, code: string | undefined, position: number): void {
  const known = Object.keys(FINDINGS);
  if (code === undefined || known.includes(code)) return;
  const message = `there is no finding "${code}"${didYouMean(code, known)}`;
  report(['expect', position, 'finding'], 'value', { message, expected: `one of ${known.join(', ')}` });
}
