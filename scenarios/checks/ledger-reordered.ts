/** The order of one client’s writes to one key is kept. */
import { plural } from '../../reports/display.ts';
import { result, sum, type CheckContext, type CheckDefinition } from './check.ts';
import { isResult, ledgerOr, samplesOf } from './ledger-evidence.ts';

const NAME = 'ledger-reordered';

export const ledgerReordered: CheckDefinition = {
  name: NAME,
  summary: 'The writes of each client are in the order in which they were acknowledged.',
  judge: (context) => [judgeReordered(context)],
};

function judgeReordered(context: CheckContext) {
  const views = ledgerOr(NAME, context);
  if (isResult(views)) return views;
  const guilty = views.filter(({ account }) => account.reordered > 0);
  const reordered = sum(guilty.map(({ account }) => account.reordered));
  if (guilty.length === 0)
    return result(NAME, 'pass', `Every order is kept, in ${plural(views.length, 'reading')}.`, { reordered });
  const where = [...new Set(guilty.map(({ instance }) => instance))].join(', ');
  const summary = `${plural(reordered, 'write')} out of order on ${where}${samplesOf(guilty, 'reordered')}.`;
  return result(NAME, 'fail', summary, { reordered });
}
