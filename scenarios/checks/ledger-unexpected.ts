/** What was refused, or written by nobody, is nowhere. */
import { plural } from '../../reports/display.ts';
import { result, sum, type CheckContext, type CheckDefinition } from './check.ts';
import { isResult, ledgerOr, samplesOf } from './ledger-evidence.ts';

const NAME = 'ledger-unexpected';

export const ledgerUnexpected: CheckDefinition = {
  name: NAME,
  summary: 'No ledger has an element that was refused or never written.',
  judge: (context) => [judgeUnexpected(context)],
};

function judgeUnexpected(context: CheckContext) {
  const views = ledgerOr(NAME, context);
  if (isResult(views)) return views;
  const guilty = views.filter(({ account }) => account.unexpected > 0);
  const unexpected = sum(guilty.map(({ account }) => account.unexpected));
  if (guilty.length === 0)
    return result(NAME, 'pass', `Only what was written is there, in ${plural(views.length, 'reading')}.`, {
      unexpected,
    });
  const where = [...new Set(guilty.map(({ instance }) => instance))].join(', ');
  const summary = `${plural(unexpected, 'element')} on ${where} that nobody wrote${samplesOf(guilty, 'unexpected')}.`;
  return result(NAME, 'fail', summary, { unexpected });
}
